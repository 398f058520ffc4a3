"""Another participant ID for a participant of ours: a new version, pushed to eCOA, with its reason in the trail.

An internal ID never changes: eCOA knows the participant by it. There is no service for it, and every source that
tries is refused row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from ecoa.models import Participant, ParticipantStatus, SyncRun
from ecoa.services import entering, intake, sending
from ecoa.services.actors import ensure_manager
from ecoa.services.refusals import Refused
from vaultadmin import audit

TAKEN = "Another participant of the study already has this participant ID."


@dataclass(frozen=True, slots=True)
class Changed:
    """The participant with its new ID, and the run that brings it to eCOA."""

    participant: Participant
    run: SyncRun | None


def change_id(participant: Participant, *, new_id: str, reason: str, by: audit.Actor, now: datetime) -> Changed:
    """Change an ID the study team owns; Refused, with who owns it, for all others."""
    ensure_manager(by, participant.vault_id)
    if participant.lock:
        raise Refused(participant.lock)
    mapping = participant.mapping
    new_id = entering.checked(participant.site, new_id, participant.internal_id).participant_id
    try:
        with transaction.atomic():
            intake.lock(mapping)
            current = Participant.objects.select_for_update(of=("self",)).get(pk=participant.pk)
            before = current.participant_id
            if new_id == before:
                raise Refused("This is the participant ID already.", field="participant_id")
            current.participant_id = new_id
            renew(current, now)
            run = sending.send_soon(mapping=mapping, participants=[current.pk], by=by, now=now)
            changes: audit.Changes = {"participant ID": (before, new_id)}
            audit.record(
                vault=mapping.vault,
                by=by,
                event="participant.changed",
                subject=current,
                changes=changes,
                reason=reason,
            )
    except IntegrityError as error:
        if "participant_id_once" not in str(error):
            raise
        raise Refused(TAKEN, field="participant_id") from error
    return Changed(current, run)


def renew(current: Participant, now: datetime) -> None:
    """Save a locked participant as a new version that eCOA has to hear about."""
    current.version += 1
    current.status, current.stage = ParticipantStatus.WAITING, 0
    current.code = current.message = ""
    current.changed_at = now
    fields = ["participant_id", "site", "version", "status", "stage", "code", "message", "changed_at"]
    current.save(update_fields=fields)
