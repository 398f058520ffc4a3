"""Our middleware, in the order settings name it. Each is one small function."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import structlog
from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch, resolve
from django.utils.functional import cached_property
from django_permissions_policy import PermissionsPolicyMiddleware

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
        if trusted:
            hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
            if trusted <= len(hops) and (address := _address(hops[-trusted])):
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

    Only addresses settings.MACHINE_PATHS names whose view is behind Gate.MACHINE; all others go the long way. The
    answers carry the headers every other answer carries, and plain http is redirected where it is for everybody.
    """
    usual = UsualHeaders()

    @convert_exception_to_response
    def straight(request: HttpRequest) -> Any:
        match = _resolve(request.path_info, settings.ROOT_URLCONF)
        access = getattr(match.func, "access", None)
        if access is None or access.gate is not Gate.MACHINE:
            return get_response(request)
        request.resolver_match = match
        with audit.origin(source_ip=request.META.get("REMOTE_ADDR", "")):
            return match.func(request, *match.args, **match.kwargs)

    def middleware(request: HttpRequest) -> Any:
        is_redirected = settings.SECURE_SSL_REDIRECT and not request.is_secure()
        if is_redirected or not settings.MACHINE_PATHS.match(request.path_info):
            return get_response(request)
        answer: Any = straight(request)
        for name, value in usual.of(request):
            answer.headers.setdefault(name, value)
        # As CommonMiddleware does on the long way: a caller knows when the answer is whole, and keeps its connection.
        if isinstance(answer, HttpResponse):
            answer.headers.setdefault("Content-Length", str(len(answer.content)))
        return answer

    return middleware


class UsualHeaders:
    """What the middleware that sets headers writes on an answer that says nothing of its own: found out once each for
    http and https, by letting it write on an empty one."""

    def __init__(self) -> None:
        blank = PermissionsPolicyMiddleware(lambda request: HttpResponse(headers={"Content-Type": ""}))
        self._chain: Callable[[HttpRequest], Any] = SecurityMiddleware(ContentPolicy(blank))
        self._found: dict[bool, list[tuple[str, str]]] = {}

    def of(self, request: HttpRequest) -> list[tuple[str, str]]:
        """Names and values for an answer to this request."""
        found = self._found.get(request.is_secure())
        if found is None:
            blank = self._chain(request)
            found = [(name, value) for name, value in blank.headers.items() if name != "Content-Type"]
            self._found[request.is_secure()] = found
        return found


@lru_cache(maxsize=1024)
def _resolve(path: str, _urlconf: str) -> ResolverMatch:
    """Machines call few addresses, again and again; the name of the addresses' module is for the cache."""
    return resolve(path)


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
