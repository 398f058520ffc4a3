"""Live regions: a poll that would see the same answer is told so before anything is rendered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.http import HttpResponse, HttpResponseNotModified

from vaultadmin.access import MemberRequest


def answer(request: MemberRequest, stamp: str, draw: Callable[[], HttpResponse]) -> HttpResponse:
    """304 when the browser shows this stamp already, else the page with its tag.

    The stamp must change with everything on the page; who looks and the address are mixed in.
    """
    text = f"{request.member.pk}|{request.get_full_path()}|{stamp}"
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag, "Cache-Control": "no-store, private"})
    response = draw()
    response["ETag"] = tag
    return response
