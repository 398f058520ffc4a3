"""Choosing a vault."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from vaultadmin.access import Gate, requires
from vaultadmin.models import Membership, User


@require_safe
@requires(Gate.SIGNED_IN)
def index(request: HttpRequest) -> HttpResponse:
    """The vaults of this person; straight in when there is only one."""
    person = get_object_or_404(User, pk=request.user.pk)
    places = Membership.objects.for_request().filter(user=person, is_active=True).order_by("vault_id")
    if len(places) == 1 and not person.is_domain_admin:
        return redirect("vault:home", places[0].vault_id)
    return render(request, "site/picker.html", {"places": places})
