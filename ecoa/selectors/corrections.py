"""Corrections as pages show them: the newest of a participant, and the one timeline both sides see."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ecoa.cards import Card, Situation, card_for
from ecoa.client.types import Stage
from ecoa.models import Attempt, Correction, CorrectionState, Discrepancy, DiscrepancyState, Participant
from vaultadmin.models import Membership
from vaultadmin.signing import services as signing

Event = dict[str, Any]
SHOWN = 5
_CARDS = {
    CorrectionState.ASKED: Situation.CORRECTION_ASKED,
    CorrectionState.SIGNED: Situation.CORRECTION_SIGNED,
    CorrectionState.NOT_ACCEPTED: Situation.CORRECTION_NOT_ACCEPTED,
    CorrectionState.OVERTAKEN: Situation.CORRECTION_OVERTAKEN,
    CorrectionState.REJECTED: Situation.CORRECTION_REJECTED,
}
_HELD = {
    DiscrepancyState.OPEN: gettext_lazy(
        "Not yet: eCOA and we hold different IDs. It is sent as soon as the study team has decided about that."
    ),
    DiscrepancyState.DECIDED: gettext_lazy(
        "Not yet: the study team decided that the ID is put right at its source. It waits for what comes from there."
    ),
}
_DOUBT = " This signature does not fit what is stored: have the record examined."


def visible(member: Membership) -> QuerySet[Correction]:
    """Visible corrections with what their pages name."""
    rows: QuerySet[Correction] = Correction.objects.visible_to(member).select_related(
        "vault", "mapping", "participant__site", "asked_by__user", "decided_by__user"
    )
    return rows


def of_participant(participant: Participant) -> list[Correction]:
    """The newest corrections of a participant the caller may see, newest first."""
    rows = participant.corrections.select_related("asked_by__user", "decided_by__user", "signature", "evidence")
    return list(rows.order_by("-pk")[:SHOWN])


def held_by(correction: Correction) -> Discrepancy | None:
    """The difference a signed correction waits for: while it stands, nothing of the participant is sent."""
    if correction.state != CorrectionState.SIGNED:
        return None
    rows: QuerySet[Discrepancy] = Discrepancy.objects.holding()
    return rows.filter(participant=correction.participant_id).first()


def in_the_way(correction: Correction) -> Discrepancy | None:
    """The open difference a correction would wait for once it is signed."""
    rows: QuerySet[Discrepancy] = Discrepancy.objects.holding()
    return rows.filter(participant=correction.participant_id, state=DiscrepancyState.OPEN, holder_unknown=False).first()


def card_of(correction: Correction, held: Discrepancy | None = None) -> Card | None:
    """The site card of a correction; none when it is in eCOA or was taken back."""
    situation = _CARDS.get(CorrectionState(correction.state))
    if held:
        situation = Situation.CORRECTION_HELD
    elif correction.undone_at and correction.participant.participant_id != correction.new_value:
        situation = Situation.CORRECTION_UNDONE
    return card_for(situation) if situation else None


def timeline(correction: Correction, tries: list[Attempt], held: Discrepancy | None = None) -> list[Event]:
    """Asked, signed, sent, confirmed, each with person and time; what is to come has neither. `tries` newest first."""
    steps = [
        _event(_("Asked"), at=correction.asked_at, by=correction.asked_by, text=correction.reason, icon="pencil"),
        *_decision(correction),
    ]
    if correction.state in (CorrectionState.WITHDRAWN, CorrectionState.REJECTED):
        return steps
    return [*steps, _sent(correction, tries, held), _proof(correction), *_undone(correction)]


def _decision(correction: Correction) -> list[Event]:
    if correction.state == CorrectionState.WITHDRAWN:
        return [_event(_("Withdrawn"), at=correction.ended_at, by=correction.asked_by, state="failed")]
    if correction.signature is None:
        return [_event(_("Signed by the study team"), state="current")]
    signature, rejected = correction.signature, correction.state == CorrectionState.REJECTED
    whole = signing.verify(signature, subject=correction, version=signature.version)
    return [
        _event(
            _("Rejected and signed") if rejected else _("Signed"),
            at=signature.signed_at,
            by=signature.signer_name,
            text=correction.comment,
            note=f"{signature.meaning}. {signature.get_method_display()}." + ("" if whole else _DOUBT),
            state="failed" if rejected or not whole else "done",
            icon="" if rejected or not whole else "shield-check",
        )
    ]


def _sent(correction: Correction, tries: list[Attempt], held: Discrepancy | None) -> Event:
    title = _("Sent to eCOA")
    if correction.decided_at is None:
        return _event(title, state="future")
    since = correction.decided_at
    mine = [one for one in tries if one.value == correction.new_value and one.started_at >= since]
    sent = next((one for one in reversed(mine) if one.stage >= Stage.SENT), None)
    if sent is not None:
        return _event(title, at=sent.started_at, by=_("eCOA sync"), icon="send")
    if not correction.is_open:
        return _event(_("Not sent"), at=correction.ended_at, state="failed")
    if held is not None:
        return _event(title, text=str(_HELD[DiscrepancyState(held.state)]), state="current")
    text = _("Not yet: %(card)s.") % {"card": card_for(mine[0].code).title} if mine and mine[0].code else ""
    return _event(title, text=text, state="current")


def _proof(correction: Correction) -> Event:
    title = _("Confirmed: eCOA shows the new ID")
    if correction.state == CorrectionState.CONFIRMED:
        return _event(title, at=correction.ended_at, by=_("Read back from eCOA"), icon="checks")
    if correction.state == CorrectionState.NOT_ACCEPTED and correction.evidence is not None:
        text = str(card_for(correction.evidence.code).title)
        return _event(_("Not accepted by eCOA"), at=correction.ended_at, text=text, state="failed")
    if correction.is_open:
        return _event(title, state="future")
    return _event(str(CorrectionState(correction.state).label), at=correction.ended_at, state="failed")


def _undone(correction: Correction) -> list[Event]:
    if correction.undone_at is None:
        return []
    title = _("Undone: %(value)s was put back") % {"value": correction.undone_value}
    return [_event(title, at=correction.undone_at, by=correction.undone_by, state="failed")]


def _event(title: str, **more: Any) -> Event:
    return {"title": title, "state": "done", "by": "", "at": None, "text": "", "note": "", "icon": ""} | more
