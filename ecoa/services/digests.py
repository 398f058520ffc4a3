"""A person's choice how often a digest comes."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from ecoa.digests import writing
from ecoa.models import DigestChoice
from ecoa.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

_AUDITED = ["frequency", "hour", "time_zone"]


def choice_of(member: Membership) -> DigestChoice:
    """The member's choice; an unsaved one without a digest for those who never chose."""
    return DigestChoice.objects.filter(pk=member.pk).first() or DigestChoice(member=member)


def choose(*, member: Membership, frequency: str, hour: int, time_zone: str, now: datetime) -> DigestChoice:
    """Set how often the member's digest comes; the next one is due at the chosen hour."""
    ensure(member, Permission.ECOA_STUDY_TEAM)
    if frequency != "never" and not member.user.mail_notices:
        raise Refused("Your account gets no mails. Turn on E-mail notices first.", field="frequency")
    with transaction.atomic():
        Membership.objects.select_for_update(no_key=True, of=("self",)).get(pk=member.pk)
        choice = choice_of(member)
        before = audit.snapshot(choice, _AUDITED)
        choice.frequency, choice.hour, choice.time_zone = frequency, hour, time_zone
        choice.due_at = writing.next_due(frequency, hour=hour, zone=time_zone, after=now)
        choice.save()
        changes = audit.diff(before, choice, _AUDITED)
        if changes:
            audit.record(vault=member.vault, by=member, event="digest.chosen", subject=member, changes=changes)
    return choice
