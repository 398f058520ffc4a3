"""A member's own API access tokens."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from vaultadmin import clock
from vaultadmin.access import Gate, MemberRequest, fresh_credentials, requires
from vaultadmin.answers import frame, go
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.forms.tokens import TokenForm
from vaultadmin.models import ApiToken
from vaultadmin.permissions import Permission, can
from vaultadmin.services import tokens

_MOST = 100


@require_safe
@requires(Gate.MEMBER)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """All of a person's tokens here: whoever lost the right to make them can still revoke them."""
    now = clock.now()
    rows = ApiToken.objects.visible_to(request.member)[:_MOST]
    context = {
        "rows": [(token, *_state(token, now)) for token in rows],
        "may_create": can(request.member, Permission.API_ACCESS),
        "refresh_on": "tokens:changed",
        "page_title": "My API access tokens",
    }
    return render(request, "people/tokens.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.API_ACCESS)
@fresh_credentials
def create(request: MemberRequest, vault_id: int) -> HttpResponse:
    """The dialog *Create token*; its answer shows the token, once."""
    form = TokenForm(request.POST if request.method == "POST" else None, member=request.member)
    if request.method == "POST" and form.is_valid():
        try:
            issued = tokens.create_token(member=request.member, by=request.member, now=clock.now(), **form.cleaned_data)
        except tokens.TokenRefused as error:
            form.add_error(None, str(error))
        else:
            context = {"issued": issued, "frame": frame(request), "back_url": _url(vault_id)}
            response = render(request, "people/token_shown.html", context)
            response["HX-Trigger"] = "tokens:changed"
            return response
    context = {"form": form, "frame": frame(request), "cancel_url": _url(vault_id)}
    return render(request, "people/token_create.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires(Gate.MEMBER)
def revoke(request: MemberRequest, vault_id: int, token_id: int) -> HttpResponse:
    """The dialog *Revoke token*."""
    token = ApiToken.objects.visible_to(request.member).filter(pk=token_id).first()
    if token is None:
        raise Http404
    if request.method == "POST":
        tokens.revoke_token(token, by=request.member, now=clock.now())
        messages.success(request, f"{token} is revoked: nothing can use it any more.")
        return go(request, _url(vault_id))
    context = {
        "token": token,
        "form": ConfirmForm(),
        "danger": True,
        "frame": frame(request),
        "cancel_url": _url(vault_id),
    }
    return render(request, "people/token_revoke.html", context)


def _state(token: ApiToken, now: object) -> tuple[str, str]:
    if token.revoked_at is not None:
        return "inactive", "Revoked"
    if token.expires_at <= now:  # type: ignore[operator]
        return "expired", "Expired"
    return "active", "Active"


def _url(vault_id: int) -> str:
    return reverse("vault:tokens", args=[vault_id])
