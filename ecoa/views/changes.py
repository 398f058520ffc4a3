"""What the study team does to single participants: enter one by hand, change its ID, move it to another site."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from ecoa.forms.participants import ChangeIdForm, EnterForm, TransferForm
from ecoa.models import Participant, Site
from ecoa.selectors import sites as site_rows
from ecoa.services import changing, entering, transferring
from ecoa.services.refusals import Refused
from ecoa.views import dialogs
from ecoa.views.participants import find
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import frame, go
from vaultadmin.permissions import Permission

_methods = require_http_methods(["GET", "POST"])


@_methods
@requires(Permission.ECOA_MANAGE)
def enter(request: MemberRequest, vault_id: int, study: str, site: str) -> HttpResponse:
    """*Add participant*."""
    found = site_rows.site_by_numbers(request.member, study=study, number=site)
    if found is None:
        raise Http404
    form = EnterForm(dialogs.posted(request))
    says = dialogs.Says(
        f"Add a participant to site {found}",
        "The participant ID belongs to the study team from then on. An internal ID never changes afterwards.",
        "Add participant",
        reverse("ecoa:site", args=[vault_id, study, site]),
    )

    def act() -> str:
        entered = entering.enter(site=found, by=request.member, now=clock.now(), **form.cleaned_data)
        return reverse("ecoa:participant", args=[vault_id, entered.pk])

    return dialogs.run(request, form, says, act, done="The participant was added.")


@_methods
@requires(Permission.ECOA_MANAGE)
def change_id(request: MemberRequest, vault_id: int, participant_id: int) -> HttpResponse:
    """*Change participant ID*, for IDs no machine owns."""
    found = find(request, participant_id)
    form = ChangeIdForm(dialogs.posted(request))
    back = reverse("ecoa:participant", args=[vault_id, found.pk])
    says = dialogs.Says(
        f"Change {found.participant_id}",
        "The new participant ID goes to eCOA with the next run and replaces the old one there. The internal ID stays: "
        "eCOA knows the participant by it.",
        "Change participant ID",
        back,
    )

    def act() -> str:
        values = form.cleaned_data
        changing.change_id(
            found, new_id=values["participant_id"], reason=values["reason"], by=request.member, now=clock.now()
        )
        return back

    return dialogs.run(request, form, says, act, done="The participant ID was changed.")


@_methods
@requires(Permission.ECOA_MANAGE)
def transfer(request: MemberRequest, vault_id: int, participant_id: int) -> HttpResponse:
    """*Move to another site*: first the site and the reason, then what will happen, then the move."""
    found = find(request, participant_id)
    form = TransferForm(dialogs.posted(request), participant=found)
    if request.method == "POST" and form.is_valid():
        to_site = form.cleaned_data["to_site"]
        if not form.has_seen():
            return _transfer_dialog(request, found, _asking(form, found), to_site)
        try:
            transferring.transfer(
                found, to_site=to_site, reason=form.cleaned_data["reason"], by=request.member, now=clock.now()
            )
        except Refused as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            return go(request, reverse("ecoa:participant", args=[vault_id, found.pk]))
    return _transfer_dialog(request, found, form, None)


def _asking(form: TransferForm, participant: Participant) -> TransferForm:
    """The same form, noting that the consequences for the chosen site are on the screen now."""
    values = {name: form.data[name] for name in ("to_site", "reason")}
    return TransferForm(initial=values | {"seen": values["to_site"]}, participant=participant)


def _transfer_dialog(
    request: MemberRequest, participant: Participant, form: TransferForm, to_site: Site | None
) -> HttpResponse:
    context = {
        "form": form,
        "frame": frame(request),
        "participant": participant,
        "preview": transferring.preview(participant, to_site) if to_site else "",
        "cancel_url": reverse("ecoa:participant", args=[participant.vault_id, participant.pk]),
        "page_title": f"Move {participant.participant_id}",
    }
    return render(request, "ecoa/transfer.html", context, status=422 if form.errors else 200)
