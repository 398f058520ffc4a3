"""Choosing a vault, and the theme."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from vaultadmin.access import Gate, requires
from vaultadmin.models import Membership
from vaultadmin.site.context import THEMES

_YEAR = 365 * 24 * 3600


@require_safe
@requires(Gate.SIGNED_IN)
def index(request: HttpRequest) -> HttpResponse:
    """The vaults of this person; straight in when there is only one."""
    places = Membership.objects.for_request().filter(user=request.user.pk, is_active=True).order_by("vault_id")
    if len(places) == 1 and not request.user.is_domain_admin:
        return redirect("vault:home", places[0].vault_id)
    return render(request, "site/picker.html", {"places": places})


@require_POST
@requires(Gate.PUBLIC)
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or system in a cookie and go back."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "/"
    response = HttpResponseRedirect(back)
    chosen = request.POST.get("theme", "system")
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=_YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
    return response
