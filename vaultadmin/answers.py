"""The few shapes of answer every page uses: dialogs that close, lists that stand still, live regions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect


def is_fragment(request: HttpRequest) -> bool:
    """Is htmx asking for a part of a page (and not a whole one)?"""
    return request.headers.get("HX-Request") == "true"


def frame(request: HttpRequest) -> str:
    """The template a dialog's page extends: the dialog itself for htmx, a whole page without JavaScript."""
    return "components/dialog_frame.html" if is_fragment(request) else "components/dialog_page.html"


def dialog_done(
    request: HttpRequest, event: str, *, fallback: str, toast: str = "", link: tuple[str, str] | None = None
) -> HttpResponse:
    """A dialog did its work: htmx closes it and tells the page `event`; a plain form goes to `fallback`.

    A toast may end with a link: its words and its address.
    """
    if not is_fragment(request):
        return HttpResponseRedirect(fallback)
    triggers: dict[str, object] = {"dialog:close": {}, event: {}}
    if toast:
        leads = {"link": link[0], "url": link[1]} if link is not None else {}
        triggers["toast"] = {"text": toast, "level": "success", **leads}
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(triggers)})


def go(request: HttpRequest, url: str) -> HttpResponse:
    """Go to a page, from a plain form and from htmx alike."""
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def live(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A polled region: 304 when nothing changed since the answer the browser already shows."""
    tag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag, "Cache-Control": "no-store, private"})
    response["ETag"] = tag
    return response


def live_by(request: HttpRequest, stamp: str, draw: Callable[[], HttpResponse]) -> HttpResponse:
    """A polled page: 304, and nothing drawn, when the browser shows what `stamp` stands for.

    The stamp must change with everything on the page; who looks and at which address are mixed in.
    """
    text = f"{request.user.pk}|{request.get_full_path()}|{stamp}"
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    if is_fragment(request) and request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag, "Cache-Control": "no-store, private"})
    response = draw()
    response["ETag"] = tag
    return response
