"""The page *Delegation* below *Tasks*: who lends their approvals to whom; lend, and end early."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from vaultadmin import clock
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.answers import dialog_done, frame
from vaultadmin.forms.tasks import DelegationForm, EndForm
from vaultadmin.models.delegation import day_of
from vaultadmin.permissions import Permission
from vaultadmin.worklist import delegating, delegations

_PEOPLE = (Permission.WORKFLOW_PARTICIPATE, Permission.ECOA_STUDY_TEAM, Permission.ADMIN_USERS)
_methods = require_http_methods(["GET", "POST"])


@require_safe
@requires(*_PEOPLE)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Given and received, all of the vault for who administers users."""
    context = {"rows": delegations.rows(request.member, now=clock.now()), "page_title": "Delegation"}
    return render(request, "site/delegations.html", context)


@_methods
@requires(*_PEOPLE)
@fresh_credentials
def create(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Lend approvals*."""
    member = request.member
    givers, receivers = delegating.givers(member), delegating.receivers(member)
    initial = {"giver": member.pk, "starts": day_of(clock.now())}
    form = DelegationForm(request.POST or None, receivers=receivers, givers=givers, initial=initial)
    if not form.is_valid():
        return _show(request, form, {}, status=422 if form.errors else 200)
    values = {name: form.cleaned_data[name] for name in ("to", "starts", "ends")}
    try:
        made = delegating.lend(
            giver=form.cleaned_data.get("giver", member), **values, by=request.member, now=clock.now()
        )
    except delegating.DelegationRefused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return _show(request, form, {}, status=422)
    return _done(request, f"The approvals of {made.from_member} are lent to {made.to_member}.")


@_methods
@requires(*_PEOPLE)
def end(request: MemberRequest, vault_id: int, delegation_id: int) -> HttpResponse:
    """*End* a delegation early."""
    found = delegations.visible_to(request.member).filter(pk=delegation_id).first()
    if found is None:
        raise Http404
    if request.method != "POST":
        refusal = delegating.end_refusal(found, request.member, now=clock.now())
        return _show(request, EndForm(), {"delegation": found, "refusal": refusal})
    try:
        ended = delegating.end(delegation=found, by=request.member, now=clock.now())
    except delegating.DelegationRefused as refused:
        return _show(request, EndForm(), {"delegation": found, "refusal": str(refused)}, status=409)
    return _done(request, f"{ended.to_member} no longer decides for {ended.from_member}.")


def _show(
    request: MemberRequest, form: DelegationForm | EndForm, context: dict[str, object], *, status: int = 200
) -> HttpResponse:
    given = {
        "form": form,
        "frame": frame(request),
        "cancel_url": reverse("vault:delegations", args=[request.member.vault_id]),
        "page_title": "Delegation",
    }
    return render(request, "site/delegation.html", given | context, status=status)


def _done(request: MemberRequest, sentence: str) -> HttpResponse:
    fallback = reverse("vault:delegations", args=[request.member.vault_id])
    response = dialog_done(request, "tasks:changed", fallback=fallback, toast=sentence)
    if response.status_code != 204:
        messages.success(request, sentence)
    return response
