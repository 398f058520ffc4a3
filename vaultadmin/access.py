"""Who may open a view: declared on the view, enforced in one place, deny by default.

`@requires(...)` is the only way a view says who it is for. AccessMiddleware refuses any view of ours without it, so
a page nobody thought of is closed rather than open (security.md section 0 line 6). A vault the person does not belong
to looks exactly like one that does not exist: 404.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

from vaultadmin import clock
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure
from vaultadmin.services import second_factor
from vaultadmin.standing import standing
from vaultadmin.together import answer, rows_of

View = Callable[..., HttpResponseBase]


class Gate(Enum):
    """Doors that are not a permission within a vault."""

    PUBLIC = "anyone, signed in or not"
    SIGNED_IN = "any person who is signed in"
    DOMAIN_ADMIN = "Domain Administrators"
    MEMBER = "any member of the vault"
    MACHINE = "machines; the view checks its own credentials"


@dataclass(frozen=True)
class Access:
    """What a view declared: one gate, or any of some permissions in the vault of its URL."""

    gate: Gate | None = None
    permissions: tuple[Permission, ...] = ()


class MemberRequest(HttpRequest):
    """A request that passed a vault's door; for type hints."""

    member: Membership


def requires(*needs: Gate | Permission) -> Callable[[View], View]:
    """Declare who a view is for: exactly one Gate, or one or more Permissions of which the member needs any.

    Views behind a permission or Gate.MEMBER take `vault_id` and find `request.member` and `request.vault`.
    """
    gates = [need for need in needs if isinstance(need, Gate)]
    permissions = tuple(need for need in needs if isinstance(need, Permission))
    if len(gates) > 1 or bool(gates) == bool(permissions):
        raise TypeError("Declare exactly one gate, or one or more permissions.")
    access = Access(gate=gates[0] if gates else None, permissions=permissions)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return _admit(access, request, kwargs) or view(request, *args, **kwargs)

        guarded.access = access  # type: ignore[attr-defined]
        return guarded

    return decorate


def fresh_credentials(view: View) -> View:
    """Ask for the password or passkey again unless it was given within the last five minutes (security.md G8)."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if credentials_are_fresh(request):
            return view(request, *args, **kwargs)
        return _go(request, _prove_again_url(request, _way_back(request)))

    guarded.fresh = True  # type: ignore[attr-defined]
    return guarded


def _way_back(request: HttpRequest) -> str:
    """Where a person goes on: the page they were on, with the dialog they had opened there open again."""
    if request.headers.get("HX-Target", "").endswith("#dialog-body"):
        page, _, query = _local(request, request.headers.get("HX-Current-URL", "/")).partition("?")
        shown = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "dialog"]
        return f"{page}?{urlencode([*shown, ('dialog', request.get_full_path())])}"
    back = request.get_full_path() if request.method == "GET" else request.META.get("HTTP_REFERER", "/")
    return _local(request, back)


def credentials_are_fresh(request: HttpRequest) -> bool:
    """Did this person prove who they are, by signing in or again since, within the last five minutes?"""
    if not request.user.is_authenticated:
        return False
    records = get_authentication_records(request, request.user)
    newest = max((record["at"] for record in records), default=0)
    return clock.now().timestamp() - newest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def _prove_again_url(request: HttpRequest, back: str) -> str:
    """Where this person can prove who they are: password, second factor or identity provider, whichever they have."""
    methods = get_adapter().get_reauthentication_methods(request.user)
    url: str = methods[0]["url"] if methods else reverse("account_logout")
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'next': back})}"


def _admit(access: Access, request: HttpRequest, kwargs: dict[str, Any]) -> HttpResponse | None:
    if access.gate in (Gate.PUBLIC, Gate.MACHINE):
        return None
    if not request.user.is_authenticated:
        return _sign_in(request)
    if access.gate is Gate.SIGNED_IN:
        return None
    if access.gate is Gate.DOMAIN_ADMIN:
        if not request.user.is_domain_admin:
            raise Http404
        return _owed_second_factor(request) if second_factor.is_owed_anywhere(request.user) else None
    member = find_member(request, kwargs["vault_id"])
    if second_factor.is_owed(member):
        return _owed_second_factor(request)
    if access.permissions:
        ensure(member, *access.permissions)
    return None


def _owed_second_factor(request: HttpRequest) -> HttpResponse:
    """A profile that demands a second factor opens nothing until one is set up (security.md G7)."""
    messages.warning(request, "Your security profile asks for a second factor. Set one up to go on.")
    return _go(request, reverse("mfa_index"))


def find_member(request: HttpRequest, vault_id: int) -> Membership:
    """The signed-in person's active membership in a vault, read for this request; 404 when there is none.

    A whole page shows the switcher, too, so all of the person's memberships are read for it at once.
    """
    if is_whole_page(request):
        rows: list[Membership] = answer(rows_of(_memberships(user=request.user.pk)))
        request.vaults = [row.vault for row in rows]  # type: ignore[attr-defined]
        member = next((row for row in rows if row.vault_id == vault_id), None)
    else:
        found = answer(rows_of(_membership(user=request.user.pk, vault=vault_id)))
        member = next(iter(found), None)
    if member is None:
        raise Http404
    request.member, request.vault = member, member.vault  # type: ignore[attr-defined]
    return member


@standing
def _memberships(*, user: Any) -> QuerySet[Membership]:
    found = Membership.objects.for_request().filter(user=user, is_active=True, user__is_active=True)
    return found.order_by("vault_id")


@standing
def _membership(*, user: Any, vault: Any) -> QuerySet[Membership]:
    found = Membership.objects.for_request().filter(user=user, is_active=True, user__is_active=True)
    return found.filter(vault=vault).order_by("pk")


def is_whole_page(request: HttpRequest) -> bool:
    """Is the answer a page with the shell around it, not a part of one?"""
    return request.method == "GET" and "HX-Request" not in request.headers


def _sign_in(request: HttpRequest) -> HttpResponse:
    if "/api/" in request.path:
        return JsonResponse(
            {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "Sign in or send an API token."},
            status=401,
            content_type="application/problem+json",
        )
    if request.headers.get("HX-Request"):
        back = _local(request, request.headers.get("HX-Current-URL", "/"))
        return HttpResponse(status=401, headers={"HX-Redirect": f"{settings.LOGIN_URL}?{urlencode({'next': back})}"})
    return redirect_to_login(request.get_full_path())


def _go(request: HttpRequest, url: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def _local(request: HttpRequest, url: str) -> str:
    """The path of a URL on this very host, or the start page."""
    parts = urlsplit(url)
    if parts.netloc and parts.netloc != request.get_host():
        return "/"
    path = parts.path if parts.path.startswith("/") and not parts.path.startswith("//") else "/"
    return f"{path}?{parts.query}" if parts.query else path
