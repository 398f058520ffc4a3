"""One participant, entered by hand: the checks of files and pushes, under the study team's name."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db import transaction

from ecoa import sources
from ecoa.imports import problems, shape
from ecoa.models import Participant, Site
from ecoa.services import intake, sending
from ecoa.services.actors import ensure_manager, label_of
from ecoa.services.intake import Arrival, Origin
from ecoa.services.refusals import Refused
from ecoa.sync import facts
from vaultadmin import audit

_OF_INTERNAL_ID = frozenset({problems.MISSING_INTERNAL_ID, problems.DUPLICATE_INTERNAL_ID})


def enter(
    *, site: Site, participant_id: str, internal_id: str = "", send: bool, by: audit.Actor, now: datetime
) -> Participant:
    """A new participant of a site, sent by the next run if `send`. Without an internal ID one is made."""
    ensure_manager(by, site.vault_id)
    mapping = site.mapping
    row = checked(site, participant_id, internal_id or str(uuid4()))
    origin = Origin(sources.MANUAL, label_of(by), "Manual entry")
    with transaction.atomic():
        intake.lock(mapping)
        batch = intake.look(mapping=mapping, rows=[row], source=origin.source)
        if batch.refused:
            raise refusal(batch.refused[0]["problem"])
        if not batch.new:
            raise Refused("The study has a participant with this internal ID already.", field="internal_id")
        intake.write(batch, mapping=mapping, origin=origin, now=now)
        if send:
            sending.send_soon(mapping=mapping, participants=batch.to_send, by=by, now=now)
        facts.note_arrivals(batch.sites, at=now)
        audit.record_many(vault=mapping.vault, by=by, entries=intake.entries(batch, origin))
    return Participant.objects.get(pk=batch.new[0]["id"])


def checked(site: Site, participant_id: str, internal_id: str) -> Arrival:
    """The row as it would be stored; Refused when a value cannot be an ID."""
    (_site, participant_id, internal_id), found = shape.inspect(site.number, participant_id, internal_id)
    if found:
        raise refusal(found[0])
    return Arrival(0, site.number, participant_id, internal_id)


def refusal(problem: str) -> Refused:
    """A problem of a row as a refusal beside the field it is about."""
    code, _colon, detail = problem.partition(":")
    internal = code in _OF_INTERNAL_ID or detail == "internal ID"
    return Refused(problems.sentence(problem), field="internal_id" if internal else "participant_id")
