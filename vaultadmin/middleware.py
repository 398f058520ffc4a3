"""Our middleware, in the order settings name it. Each is one small function."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import structlog
from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.utils.functional import cached_property

from vaultadmin import audit, clock
from vaultadmin.access import Gate
from vaultadmin.accounts import sessions

logger = structlog.get_logger(__name__)
Handler = Callable[[HttpRequest], HttpResponse]
# Views of packages that do their own asking: sign-in, second factor, session list.
_PACKAGES_WITH_OWN_DOOR = ("allauth.", "django.views.", "django.contrib.staticfiles.")


def own_address(get_response: Handler) -> Handler:
    """Put the caller's own address into REMOTE_ADDR when proxies of ours stand in front (VAULTADMIN_TRUSTED_PROXIES).

    Each proxy appends whom it heard, so only the last entries are trustworthy; without proxies the header is ignored.
    """
    trusted = settings.TRUSTED_PROXIES

    def middleware(request: HttpRequest) -> HttpResponse:
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        if 0 < trusted <= len(hops) and (address := _address(hops[-trusted])):
            request.META["REMOTE_ADDR"] = address
        return get_response(request)

    return middleware


class ContentPolicy(CSPMiddleware):
    """The content security policy of every answer; the usual one is put together once, not for each of them."""

    @cached_property
    def _usual(self) -> str:
        return build_policy()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Set the header; what asked for a policy of its own is left to the package."""
        own = getattr(request, "_csp_nonce", None) or any(name.startswith("_csp") for name in vars(response))
        if own or settings.DEBUG:
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, self._usual)
        return response


def short_way(get_response: Handler) -> Handler:
    """Take machines' calls straight to their view: they have no session, no form and no language.

    Only addresses settings.MACHINE_PATHS names whose view is behind Gate.MACHINE; all others go the long way. It
    stands below the middleware that sets headers, so the answers carry the same ones.
    """

    def middleware(request: HttpRequest) -> Any:
        if not settings.MACHINE_PATHS.match(request.path_info):
            return get_response(request)
        match = resolve(request.path_info)
        access = getattr(match.func, "access", None)
        if access is None or access.gate is not Gate.MACHINE:
            return get_response(request)
        request.resolver_match = match
        with audit.origin(source_ip=request.META.get("REMOTE_ADDR", "")):
            answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        # As CommonMiddleware does on the long way: a caller knows when the answer is whole, and keeps its connection.
        if isinstance(answer, HttpResponse):
            answer.headers.setdefault("Content-Length", str(len(answer.content)))
        return answer

    return middleware


def audit_origin(get_response: Handler) -> Handler:
    """Give every audit row written during this request its address and request id."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
        with audit.origin(source_ip=request.META.get("REMOTE_ADDR", ""), request_id=request_id):
            return get_response(request)

    return middleware


def session_limits(get_response: Handler) -> Handler:
    """End a session that idled or grew too old; polls of live pages do not count as activity (ux.md A1)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            if sessions.is_over(request, now=clock.now()):
                sessions.expire(request)
            else:
                sessions.touch(request, now=clock.now())
        response = get_response(request)
        if request.user.is_authenticated and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store, private"
        return response

    return middleware


class deny_by_default:  # noqa: N801 - reads as the others do in settings
    """Refuse any view of ours that does not say who it is for (security.md section 0 line 6)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """404 for an undeclared view."""
        if hasattr(view, "access"):
            return None
        if getattr(view, "__module__", "").startswith(_PACKAGES_WITH_OWN_DOOR):
            return None
        logger.error("view_without_access", view=f"{view.__module__}.{getattr(view, '__name__', view)}")
        raise Http404


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return ""
