"""One participant: every try and every change; and the safe Retry."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ecoa import selectors
from ecoa.forms import ConfirmForm
from ecoa.models import Attempt, Participant, ParticipantStatus
from ecoa.services import runs as run_services
from ecoa.views import dialogs
from ecoa.views.sites import shown
from vaultadmin import audit, clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission, can

_SHOWN = 50


@require_safe
@requires(Permission.ECOA_VIEW_SITES)
def detail(request: MemberRequest, vault_id: int, participant_id: int) -> HttpResponse:
    """Where the participant stands, the tries behind it, and what changed when."""
    found = _participant(request, participant_id)
    may_retry = can(request.member, Permission.ECOA_MANAGE) and found.status != ParticipantStatus.SYNCED
    context = {
        "row": shown(found),
        "participant": found,
        "tries": list(Attempt.objects.filter(participant=found).order_by("-pk")[:_SHOWN]),
        "events": list(audit.history(found)[:_SHOWN]),
        "may_retry": may_retry,
        "page_title": found.participant_id,
    }
    return render(request, "ecoa/participant.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.ECOA_MANAGE)
def retry(request: MemberRequest, vault_id: int, participant_id: int) -> HttpResponse:
    """*Retry* for one participant."""
    found = _participant(request, participant_id)
    form = ConfirmForm(dialogs.posted(request))
    says = dialogs.Says(
        f"Retry {found.participant_id}",
        "eCOA is asked first whether this participant arrived. Only if not, it is sent again; nobody is created twice.",
        "Retry",
        reverse("ecoa:participant", args=[vault_id, found.pk]),
    )

    def act() -> str:
        run = run_services.retry_participant(found, by=request.member, now=clock.now())
        return reverse("ecoa:run", args=[vault_id, run.pk])

    return dialogs.run(request, form, says, act)


def _participant(request: MemberRequest, participant_id: int) -> Participant:
    found = selectors.participant(request.member, participant_id)
    if found is None:
        raise Http404
    return found
