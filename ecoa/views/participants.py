"""One participant: its site card, its corrections, every try and every change; and the safe Retry."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ecoa.cards import Card, Situation, card_for
from ecoa.models import Attempt, Correction, Participant, ParticipantStatus
from ecoa.selectors import corrections as correction_selectors
from ecoa.selectors import drift as drift_rows
from ecoa.selectors import participants as participant_rows
from ecoa.selectors import sites as site_rows
from ecoa.services import correcting, seeing
from ecoa.services import runs as run_services
from ecoa.views import dialogs, live
from ecoa.views.site_list import shown
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.permissions import Permission, can

_SHOWN = 50
_SITUATIONS = {
    ParticipantStatus.SYNCED.value: Situation.IN_ECOA,
    ParticipantStatus.WAITING.value: Situation.WAITING,
    ParticipantStatus.SENDING.value: Situation.SENDING,
}


@require_safe
@requires(Permission.ECOA_VIEW_SITES)
def detail(request: MemberRequest, vault_id: int, participant_id: int) -> HttpResponse:
    """Where the participant stands, live; the tries behind it, and what changed when."""
    opened = participant_rows.opened(request.member, participant_id)
    if opened is None:
        raise Http404
    found = opened.participant
    corrections = correction_selectors.of_participant(found) if opened.corrected else []
    tries = list(Attempt.objects.filter(participant=found).order_by("-pk")[:_SHOWN])
    traces: dict[str, Any] = {
        "difference": drift_rows.difference_of(found) if opened.differed else None,
        "evidence": drift_rows.evidence(found) if opened.asked else [],
        "transfer": participant_rows.last_transfer(found) if opened.moved else None,
    }
    stamp = "|".join(
        (
            f"{found.version}-{found.status}-{found.stage}-{found.code}-{found.changed_at}-{found.synced_at}-{found.owner}",
            " ".join(f"{row.pk}{row.state}{row.undone_at}" for row in corrections),
            drift_rows.stamp_of(traces["difference"], traces["evidence"]),
            " ".join(f"{row.pk}{row.outcome}{row.stage}" for row in tries[:5]),
        )
    )
    return live.answer(request, stamp, lambda: _page(request, found, corrections, tries, traces))


@require_http_methods(["GET", "POST"])
@requires(Permission.ECOA_MANAGE)
def retry(request: MemberRequest, vault_id: int, participant_id: int) -> HttpResponse:
    """*Retry* for one participant."""
    found = find(request, participant_id)
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


def find(request: MemberRequest, participant_id: int) -> Participant:
    """A participant this member sees and is about to be shown, else 404."""
    found = participant_rows.participant(request.member, participant_id)
    if found is None:
        raise Http404
    seeing.note(found, what="participant", by=request.member, now=clock.now())
    return found


def _page(
    request: MemberRequest,
    found: Participant,
    corrections: list[Correction],
    tries: list[Attempt],
    traces: dict[str, Any],
) -> HttpResponse:
    seeing.note(found, what="participant", by=request.member, now=clock.now())
    row = shown(found)
    card = row["card"] or card_for(_SITUATIONS.get(row["state"], ""))
    may_manage = can(request.member, Permission.ECOA_MANAGE)
    context: dict[str, Any] = {
        "row": row,
        "card": card,
        "late": _is_late(card, found),
        "participant": found,
        "tries": tries,
        "events": list(seeing.deeds(found)[:_SHOWN]),
        "staff": (staff := site_rows.is_site_staff(request.member)),
        "to_team": not staff,
        "evidence": traces["evidence"],
        "transfer": traces["transfer"],
        "standing": drift_rows.standing(traces["difference"]),
        "may_decide": can(request.member, Permission.ECOA_STUDY_TEAM),
        "may_manage": may_manage,
        "may_retry": may_manage and found.status != ParticipantStatus.SYNCED,
        "page_title": found.participant_id,
        **_corrections(request, corrections, tries),
    }
    return render(request, "ecoa/participant.html", context)


def _corrections(request: MemberRequest, corrections: list[Correction], tries: list[Attempt]) -> dict[str, Any]:
    newest = corrections[0] if corrections else None
    return {
        "corrections": [_correction(row, tries) for row in corrections],
        "open_correction": newest is not None and newest.is_open,
        "may_sign_correction": newest is not None and not correcting.refusal_for(newest, request.member),
        "may_withdraw": newest is not None and newest.asked_by.user_id == request.member.user_id,
    }


def _correction(row: Correction, tries: list[Attempt]) -> dict[str, Any]:
    held = correction_selectors.held_by(row)
    return {
        "correction": row,
        "card": correction_selectors.card_of(row, held),
        "events": correction_selectors.timeline(row, tries, held),
    }


def _is_late(card: Card, participant: Participant) -> bool:
    return card.is_late(since=participant.changed_at, now=clock.now())
