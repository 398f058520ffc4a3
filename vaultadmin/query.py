"""Lists page by key, never by OFFSET and never with a COUNT (architecture decision 14)."""

from __future__ import annotations

from collections.abc import Sequence
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


def onward(request: HttpRequest, found: Sequence[Any], *, key: str = "pk", size: int = PAGE) -> dict[str, Any]:
    """One page of a list that is read from its beginning: rows, and where it goes on and starts again for the pager.

    `found` is what follows `?after=K`, one row more than a page where there is more; `key` names K on a row.
    """
    more = len(found) > size
    return {
        "rows": found[:size],
        "older_url": replaced_query(request, after=str(getattr(found[size - 1], key))) if more else "",
        "older_label": "Next",
        "newer_url": replaced_query(request, after="") if request.GET.get("after") else "",
        "newer_label": "First page",
    }


def as_key(text: str) -> int | None:
    """A row's number as an address names it; None for what is none, or longer than the database could compare."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _key(request: HttpRequest, name: str) -> int | None:
    return as_key(request.GET.get(name, ""))
