"""Rounds of reading back as people start them; `ecoa.radar` does the rest."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from ecoa.cards import card_for
from ecoa.models import CycleState, ReadBackCycle, StudyMapping
from ecoa.radar import cycling
from ecoa.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, PermissionRefused, ensure

_OFF = "Reading back is switched off for this study."
_NOBODY = "eCOA confirmed nobody of this study yet."
_INACTIVE = "This study mapping is switched off."


def hurry(mapping: StudyMapping, *, by: Membership, now: datetime) -> ReadBackCycle:
    """Read everything of a study back as fast as its budget allows: a new round, or the running one in a hurry."""
    if by.vault_id != mapping.vault_id:
        raise PermissionRefused(Permission.ECOA_STUDY_TEAM)
    ensure(by, Permission.ECOA_STUDY_TEAM)
    if reason := why_not(mapping, None, is_confirmed=True):
        raise Refused(reason)
    with transaction.atomic():
        running = ReadBackCycle.objects.select_for_update().filter(mapping=mapping, state=CycleState.RUNNING).first()
        if running is not None:
            ReadBackCycle.objects.filter(pk=running.pk).update(hurried=True, not_before=now)
        cycle = running or cycling.begin(mapping, label=str(by), now=now, hurried=True)
        if cycle is None:
            raise Refused(_NOBODY)
        changes: audit.Changes = {"round": (None, cycle.pk), "participants": (None, cycle.planned)}
        audit.record(vault=mapping.vault, by=by, event="read_back.started", subject=mapping, changes=changes)
    return cycle


def why_not(mapping: StudyMapping, cycle: ReadBackCycle | None, *, is_confirmed: bool) -> str:
    """Why a round cannot be started now, in one sentence; empty when it can."""
    if not mapping.is_active:
        return _INACTIVE
    if not mapping.radar_is_on:
        return _OFF
    if not is_confirmed:
        return _NOBODY
    return "This round hurries already." if cycle is not None and cycle.is_running and cycle.hurried else ""


def trouble_words(cycle: ReadBackCycle | None) -> str:
    """What keeps a round from going on, in words; empty when nothing does."""
    return str(card_for(cycle.trouble).happened) if cycle is not None and cycle.trouble else ""
