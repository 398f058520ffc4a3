"""*Add standard connection*: one more, where the catalogue allows several."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from connections.forms.standard import StandardForm
from connections.services import standard
from connections.services.refusals import Refused
from connections.views import dialogs
from connections.views.common import list_url, record_url
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import go
from vaultadmin.permissions import Permission

NONE_LEFT = "This Vault has every standard connection of its application as often as it may."


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def add(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Choose one of those that may be had again; leads to the new record."""
    vault = request.member.vault
    offers = standard.offers(vault)
    form = StandardForm(request.POST if request.method == "POST" else None, offers=offers)
    refusal = "" if offers else NONE_LEFT
    if not refusal and form.is_valid():
        key, number = form.chosen()
        try:
            made = standard.add(vault=vault, key=key, instance=number, by=request.member, now=clock.now())
        except Refused as error:
            refusal = str(error)
        else:
            messages.success(request, f"{made} was added. Follow its set-up.")
            return go(request, record_url(made))
    return dialogs.show(
        request,
        title="Add standard connection",
        cancel_url=list_url(request),
        sentences=(
            "One more record of a standard connection is made, to connect this Vault with a further one.",
            "It is Pending until it is established, and like every standard connection it cannot be deleted.",
        ),
        form=None if refusal else form,
        refusal=refusal,
        submit="Add",
    )
