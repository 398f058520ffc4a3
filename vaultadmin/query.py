"""Lists page by key, never by OFFSET and never with a COUNT (architecture decision 14)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

# So many rows a page of a list has.
PAGE = 50


def replaced_query(request: HttpRequest, **values: str) -> str:
    """This page's address with some of its query replaced; an empty value removes a key."""
    query = request.GET.copy()
    for name, value in values.items():
        query.pop(name, None)
        if value:
            query[name] = value
    text = query.urlencode()
    return f"{request.path}?{text}" if text else request.path


def key_page(rows: QuerySet[Any], request: HttpRequest, *, column: str, size: int) -> dict[str, Any]:
    """One page of `rows` by a unique integer column, newest first: rows, newer_url, older_url for the pager.

    `?before=K` shows what is older than K, `?after=K` what is newer; anything else shows the newest page.
    """
    before, after = _key(request, "before"), _key(request, "after")
    if after is not None:
        found = list(rows.filter(**{f"{column}__gt": after}).order_by(column)[: size + 1])
        more_newer, found = len(found) > size, found[:size][::-1]
        more_older = True
    else:
        older = rows.filter(**{f"{column}__lt": before}) if before is not None else rows
        found = list(older.order_by(f"-{column}")[: size + 1])
        more_older, found = len(found) > size, found[:size]
        more_newer = before is not None
    page: dict[str, Any] = {"rows": found, "newer_url": "", "older_url": ""}
    if found and more_newer:
        page["newer_url"] = replaced_query(request, after=str(getattr(found[0], column)), before="")
    if found and more_older:
        page["older_url"] = replaced_query(request, before=str(getattr(found[-1], column)), after="")
    return page


def _key(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
