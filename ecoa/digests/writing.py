"""When digests are due and what they say. Numbers, sites and studies; never an ID of a participant."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from ecoa.models import DigestChoice, DigestFrequency, SilenceAlarm
from ecoa.selectors import study as study_rows
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Mail
from vaultadmin.worklist import notices

TOPIC = "ecoa.digest"
_BATCH = 200
_NAMED = 10
_MONDAY = 0


def next_due(frequency: str, *, hour: int, zone: str, after: datetime) -> datetime | None:
    """The next moment a digest is due, in the person's own day; None for those who want none."""
    if frequency == DigestFrequency.NEVER:
        return None
    place = ZoneInfo(zone)
    day = after.astimezone(place).date()
    while True:
        due = datetime.combine(day, time(hour), tzinfo=place).astimezone(UTC)
        if due > after and (frequency == DigestFrequency.DAILY or day.weekday() == _MONDAY):
            return due
        day += timedelta(days=1)


def write_due(*, now: datetime) -> int:
    """Put every digest that is due into the outbox, once; returns how many."""
    ids = list(DigestChoice.objects.filter(due_at__lte=now).order_by("due_at").values_list("pk", flat=True)[:_BATCH])
    return sum(_write(pk, now) for pk in ids)


@transaction.atomic
def _write(pk: int, now: datetime) -> int:
    rows = DigestChoice.objects.select_for_update(of=("self",)).select_related("member__vault")
    choice = rows.filter(pk=pk, due_at__lte=now).first()
    if choice is None:
        return 0
    days = 7 if choice.frequency == DigestFrequency.WEEKLY else 1
    last = now.astimezone(UTC).date() - timedelta(days=1)
    data = {"until": last.isoformat(), "days": days}
    subject = f"{choice.frequency}:{last.isoformat()}"
    member = choice.member
    notices.tell(vault=member.vault, topic=TOPIC, subject=subject, to=[member], now=now, data=data)
    choice.due_at = next_due(choice.frequency, hour=choice.hour, zone=choice.time_zone, after=now)
    choice.save(update_fields=["due_at"])
    return 1


def mail(member: Membership, _subject: str, data: dict[str, Any]) -> Mail | None:
    """One person's digest as things are now; None for somebody who is no longer of the study team."""
    if not can(member, Permission.ECOA_STUDY_TEAM):
        return None
    until, days = date.fromisoformat(data["until"]), int(data["days"])
    span = f"{until:%d %b %Y}" if days == 1 else f"{until - timedelta(days=days - 1):%d %b} to {until:%d %b %Y}"
    needs = _needs(member)
    page = f"{settings.PUBLIC_URL}{reverse('ecoa:home', args=[member.vault_id])}"
    choice = f"{settings.PUBLIC_URL}{reverse('ecoa:digest', args=[member.vault_id])}"
    return Mail(
        f"eCOA in {member.vault.name}, {span}: {_headline(needs)}",
        (
            f"What changed ({span}, UTC)\n{_changed(member, until, days)}",
            "What needs somebody\n" + ("\n".join(needs) if needs else "Nothing. Every site is as it should be."),
            f"All studies and sites\n{page}",
            f"How often this comes\n{choice}",
        ),
    )


def sample(member: Membership, *, now: datetime) -> Mail | None:
    """What a daily digest would say if it came now."""
    last = now.astimezone(UTC).date() - timedelta(days=1)
    return mail(member, "", {"until": last.isoformat(), "days": 1})


def _changed(member: Membership, until: date, days: int) -> str:
    totals = study_rows.health(member, mapping=0, today=until, number=days).totals
    if not any(totals.values()):
        return "Nothing was sent to eCOA."
    return (
        f"{totals['sent']:,} tries reached eCOA. {totals['confirmed']:,} participants were confirmed, "
        f"{totals['rejected']:,} not accepted, and of {totals['unknown']:,} the outcome is not known."
    )


def _needs(member: Membership) -> list[str]:
    silent = SilenceAlarm.objects.visible_to(member).open().select_related("site__mapping").order_by("expected_at")
    lines = [
        f"- Site {alarm.site.number} of {alarm.site.mapping.name} is silent. {alarm.reason}"
        for alarm in silent[:_NAMED]
    ]
    troubled = study_rows.troubled_sites(member, limit=_NAMED)
    return lines + [
        f"- Site {site.number} of {site.mapping.name}: {_trouble(site.tally.troubled)}" for site in troubled
    ]


def _trouble(number: int) -> str:
    if not number:
        return "eCOA and we do not say the same."
    return "1 participant needs attention." if number == 1 else f"{number:,} participants need attention."


def _headline(needs: list[str]) -> str:
    if not needs:
        return "all is well"
    return "1 thing needs somebody" if len(needs) == 1 else f"{len(needs)} things need somebody"
