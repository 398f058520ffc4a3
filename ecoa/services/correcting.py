"""Corrections as people handle them: ask, withdraw, decide. What eCOA makes of them follows in `proving`.

Order of locks as everywhere: the study, the participant (whose trigger moves the site's counters), the correction, the
task, the audit chain.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django_fsm import has_transition_perm

from ecoa.imports import problems, shape
from ecoa.models import Correction, CorrectionState, Participant, ParticipantStatus, SiteTally, StudyMapping
from ecoa.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership, Signature
from vaultadmin.permissions import Permission, can, ensure
from vaultadmin.signing import services as signing
from vaultadmin.worklist import selectors as worklist_selectors
from vaultadmin.worklist import services as worklist
from vaultadmin.worklist.holding import Standing

TASK = "ecoa.correction"
APPROVE, REJECT = "approve", "reject"


class Changed(Refused):
    """What would be signed is not what was looked at; it must be looked at again."""

    def __init__(self) -> None:
        super().__init__("What you are asked to sign has changed since you opened it; look at it again.")


def ask(*, participant: Participant, new_value: str, reason: str, by: Membership, now: datetime) -> Correction:
    """Ask the study team for another participant ID. One correction of a participant is open at a time."""
    ensure(by, Permission.ECOA_VIEW_SITES)
    with transaction.atomic():
        found = _seen(participant.pk, by)
        value = _checked(found, new_value)
        correction: Correction = Correction.objects.create(
            vault=found.vault,
            mapping=found.mapping,
            participant=found,
            old_value=found.participant_id,
            new_value=value,
            reason=reason,
            asked_by=by,
            asked_at=now,
        )
        worklist.open_task(
            vault=found.vault,
            kind=TASK,
            subject=correction,
            title=f"Correct participant ID {found.participant_id} to {value}"[:255],
            by=by,
            now=now,
            requested_by=by,
        )
        changes: audit.Changes = {"participant ID asked for": (found.participant_id, value)}
        record(correction, "correction.asked", by=by, changes=changes, reason=reason)
    return correction


def withdraw(correction: Correction, *, by: Membership, now: datetime) -> Correction:
    """Take back one's own request while nobody has decided it."""
    with transaction.atomic():
        current = lock(correction.pk)
        if current is None or current.state != CorrectionState.ASKED:
            raise Refused("This correction has been decided; it cannot be withdrawn any more.")
        if not has_transition_perm(current.withdraw, by):  # type: ignore[arg-type]  # asked about members, not users
            raise Refused("Only the person who asked for a correction can withdraw it.")
        current.withdraw(at=now)
        current.save()
        worklist.cancel_tasks(subject=current, vault=current.vault, by=by, reason="Withdrawn", now=now)
        record(current, "correction.withdrawn", by=by, changes=_moved(CorrectionState.ASKED, current))
    return current


def refusal_for(correction: Correction, member: Membership) -> str:
    """Why this member may not decide, in one sentence; empty when they may."""
    if correction.state != CorrectionState.ASKED:
        return "This correction no longer waits for a decision."
    if not can(member, Permission.ECOA_STUDY_TEAM):
        return f"Your security profile does not include “{Permission.ECOA_STUDY_TEAM.label}”."
    if correction.asked_by.user_id == member.user_id:
        return "You asked for this correction, so somebody else has to decide it."
    return ""


def place_of(correction: Correction, member: Membership, *, now: datetime) -> Membership | None:
    """In whose place this member would decide; None when as themselves."""
    task = worklist_selectors.open_task_for(correction, kind=TASK)
    return Standing(member, [task], now=now).place(task) if task else None


def statement_of(correction: Correction, in_place_of: Membership | None) -> dict[str, Any]:
    """What is on the screen of whoever signs; its hash is what the signature is bound to."""
    participant = correction.participant
    return {
        "correction": correction.pk,
        "study": correction.mapping.external_study_id,
        "site": participant.site.number,
        "internal ID": participant.internal_id,
        "participant ID now": participant.participant_id,
        "version now": participant.version,
        "participant ID asked about": correction.old_value,
        "new participant ID": correction.new_value,
        "reason": correction.reason,
        "asked by": str(correction.asked_by),
        "asked at": correction.asked_at.isoformat(),
        "decided in place of": str(in_place_of) if in_place_of else None,
    }


def complete(
    correction: Correction,
    *,
    verdict: str,
    comment: str,
    seen_version: str,
    proof: signing.Proof,
    by: Membership,
    now: datetime,
) -> Correction:
    """Decide a correction as seen and signed: Changed when it is not what was on the screen."""
    with transaction.atomic():
        current = lock(correction.pk)
        task = worklist_selectors.open_task_for(current, kind=TASK) if current else None
        if current is None or task is None:
            raise Refused("This correction no longer waits for a decision.")
        place = place_of(current, by, now=now)
        if signing.version_of(statement_of(current, place)) != seen_version:
            raise Changed
        try:
            worklist.complete(
                task=task,
                by=by,
                verdict=verdict,
                comment=comment,
                proof=proof,
                in_place_of=place.pk if place else None,
                now=now,
            )
        except worklist.VerdictRefused as error:
            raise Refused(str(error)) from error
        decided: Correction = Correction.objects.get(pk=current.pk)
    return decided


def decide(
    *,
    correction_pk: int,
    verdict: str,
    comment: str,
    proof: signing.Proof | None,
    by: Membership,
    in_place_of: Membership | None,
    now: datetime,
) -> None:
    """Carry a verdict out, inside the transaction that completes the task."""
    correction = lock(correction_pk)
    if correction is None or (refusal := refusal_for(correction, by)):
        raise worklist.VerdictRefused(refusal if correction else "This correction is gone.")
    if verdict == REJECT:
        signature = _sign(correction, "Rejection", proof, by, in_place_of, now)
        correction.reject(by=by, comment=comment, signature=signature, at=now)
    else:
        _still_possible(correction)
        signature = _sign(correction, "Approval", proof, by, in_place_of, now)
        version = _give_new_value(correction, by=by, now=now)
        correction.sign(by=by, comment=comment, signature=signature, version=version, at=now)
    correction.save()
    changes = _moved(CorrectionState.ASKED, correction)
    record(correction, f"correction.{correction.state}", by=by, changes=changes, reason=comment)


def lock(pk: int) -> Correction | None:
    """The correction with its study and participant, locked; None when it is gone."""
    row = Correction.objects.filter(pk=pk).values("mapping", "participant").first()
    if row is None:
        return None
    _lock_rows(row["mapping"], row["participant"])
    rows = Correction.objects.select_for_update(of=("self",)).select_related(
        "vault", "mapping", "participant__site", "asked_by__user"
    )
    found: Correction | None = rows.filter(pk=pk).first()
    return found


def record(
    correction: Correction, event: str, *, by: audit.Actor, changes: audit.Changes | None = None, reason: str = ""
) -> None:
    """The trail of a correction is the participant's; the site's page has something new to show."""
    SiteTally.objects.filter(site=correction.participant.site_id).update(stamp=F("stamp") + 1)
    audit.record(
        vault=correction.vault, by=by, event=event, subject=correction.participant, changes=changes, reason=reason
    )


def _seen(participant_pk: int, by: Membership) -> Participant:
    mapping = Participant.objects.visible_to(by).filter(pk=participant_pk).values_list("mapping", flat=True).first()
    if mapping is None:
        raise Refused("This participant is gone.")
    _lock_rows(mapping, participant_pk)
    return Participant.objects.select_related("vault", "mapping", "site").get(pk=participant_pk)


def _lock_rows(mapping_pk: int, participant_pk: int) -> None:
    StudyMapping.objects.select_for_update(no_key=True, of=("self",)).get(pk=mapping_pk)
    Participant.objects.select_for_update(no_key=True, of=("self",)).get(pk=participant_pk)


def _checked(participant: Participant, text: str) -> str:
    """The new ID as it would be stored; Refused when it cannot be one."""
    (_site, value, _internal), found = shape.inspect("site", text, "internal")
    if found:
        raise Refused(problems.sentence(found[0]), field="new_value")
    if value == participant.participant_id:
        raise Refused("The participant has this ID already.", field="new_value")
    if participant.corrections.open().exists():
        raise Refused("A correction of this participant is under way. Wait for it, or have it withdrawn first.")
    _free(participant, value)
    if Correction.objects.open().filter(mapping=participant.mapping_id, new_value=value).exists():
        raise Refused("Another correction under way asks for this ID.", field="new_value")
    return value


def _free(participant: Participant, value: str) -> None:
    if Participant.objects.filter(mapping=participant.mapping_id, participant_id=value).exists():
        raise Refused(str(problems.WORDS[problems.PARTICIPANT_ID_TAKEN]), field="new_value")


def _still_possible(correction: Correction) -> None:
    participant = correction.participant
    if participant.participant_id != correction.old_value:
        raise worklist.VerdictRefused(
            f"The participant ID is {participant.participant_id} by now. Reject this; the site can ask again."
        )
    try:
        _free(participant, correction.new_value)
    except Refused as error:
        raise worklist.VerdictRefused(f"{error} Reject this correction, and say so.") from error


def _give_new_value(correction: Correction, *, by: Membership, now: datetime) -> int:
    participant = correction.participant
    version: int = participant.version + 1
    Participant.objects.filter(pk=participant.pk).update(
        participant_id=correction.new_value,
        version=version,
        status=ParticipantStatus.WAITING,
        stage=0,
        code="",
        message="",
        changed_at=now,
    )
    changes: audit.Changes = {"participant ID": (correction.old_value, correction.new_value)}
    audit.record(
        vault=correction.vault,
        by=by,
        event="participant.changed",
        subject=participant,
        changes=changes,
        reason=correction.reason,
    )
    return version


def _sign(
    correction: Correction,
    what: str,
    proof: signing.Proof | None,
    by: Membership,
    in_place_of: Membership | None,
    now: datetime,
) -> Signature:
    if proof is None:
        raise worklist.VerdictRefused("This verdict needs your signature; give it on the participant's page.")
    change = f"{correction.old_value[:70]} to {correction.new_value[:70]}"
    place = f", for {in_place_of.user.name[:40]}" if in_place_of else ""
    try:
        return signing.sign(
            subject=correction,
            label=str(correction),
            statement=statement_of(correction, in_place_of),
            meaning=f"{what} of correcting participant ID {change}{place}",
            by=by,
            proof=proof,
            now=now,
        )
    except signing.NotProven as error:
        raise worklist.VerdictRefused(str(error)) from error


def _moved(before: CorrectionState, correction: Correction) -> audit.Changes:
    return {"correction": (before.value, str(correction.state))}
