"""What makes the demo's study look lived in: rhythms, a silent site, a correction, differences eCOA brought about.

Everything is asked of the services people's pages use, and once: what was decided since is left alone.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from ecoa.models import Correction, Discrepancy, EvidenceReport, Participant, Site, SiteRhythm, StudyMapping
from ecoa.models.participant import ParticipantStatus
from ecoa.service import seeding
from ecoa.services import correcting, reading_back, reports, rhythms, schedules, sites
from ecoa.silence import looking
from vaultadmin.models import Membership
from vaultadmin.site.demo import people, world

_ZONES = {"1005": "America/New_York", "2001": "Europe/Berlin", "3001": "Asia/Singapore"}
_SILENT_SITE = ("4001", "Mountain View Hospital")
_SILENT_FOR = timedelta(days=4)
_NIGHT = (time(20), time(7))
_EVERY_HOURS, _GRACE_HOURS = 24, 12
_RUN_EVERY_MINUTES = 24 * 60
# Digits that were swapped at randomization.
_SWAPPED, _RIGHT = "1005-017", "1005-071"
# What happens at the eCOA side without us. By their internal IDs these are read back last, so never too early.
_RENAMED = {"2001-098": "2001-0098"}
_MOVED = {"3001-093": "1005"}


def begin(study: StudyMapping, *, now: datetime) -> None:
    """Give the study, which was sent, a life of its own. Harmless to repeat."""
    admin = people.member(world.ADMIN, world.ECOA_VAULT)
    sponsor = people.member(world.SPONSOR, world.ECOA_VAULT)
    _expect_news(study, admin, sponsor, now)
    _schedule(study, admin, now)
    _ask_for_a_correction(study, now)
    _ask_for_a_report(study, sponsor, now)
    _differ(study, sponsor, now)


def _expect_news(study: StudyMapping, admin: Membership, sponsor: Membership, now: datetime) -> None:
    """Every site reports at least once a day; one has been waited for since days."""
    for number, zone in _ZONES.items():
        _declare(study.sites.get(number=number), zone, sponsor, now)
    number, name = _SILENT_SITE
    silent = study.sites.filter(number=number).first() or sites.add(mapping=study, number=number, name=name, by=admin)
    _declare(silent, "UTC", sponsor, now - _SILENT_FOR)
    looking.look(now=now)


def _declare(site: Site, zone: str, by: Membership, since: datetime) -> None:
    if SiteRhythm.objects.filter(pk=site.pk).exists():
        return
    rhythms.declare(
        site=site,
        interval_hours=_EVERY_HOURS,
        grace_hours=_GRACE_HOURS,
        time_zone=zone,
        quiet_from=_NIGHT[0],
        quiet_until=_NIGHT[1],
        quiet_days=[],
        by=by,
        now=since,
    )


def _schedule(study: StudyMapping, by: Membership, now: datetime) -> None:
    if study.schedule_minutes is None:
        schedules.edit(
            study,
            minutes=_RUN_EVERY_MINUTES,
            opens=time(2),
            closes=time(4),
            days=[],
            zone="UTC",
            paused=False,
            by=by,
            now=now,
        )


def _ask_for_a_correction(study: StudyMapping, now: datetime) -> None:
    """The coordinator noticed two swapped digits; the sponsor has a task."""
    if Correction.objects.filter(mapping=study).exists():
        return
    correcting.ask(
        participant=Participant.objects.get(mapping=study, participant_id=_SWAPPED),
        new_value=_RIGHT,
        reason="Two digits were swapped when the participant was randomized.",
        by=people.member(world.COORDINATOR, world.ECOA_VAULT),
        now=now,
    )


def _ask_for_a_report(study: StudyMapping, by: Membership, now: datetime) -> None:
    if not EvidenceReport.objects.filter(vault=study.vault_id).exists():
        reports.ask(site=study.sites.get(number="2001"), by=by, now=now)


def _differ(study: StudyMapping, by: Membership, now: datetime) -> None:
    """Let eCOA hold something else for a few participants, and read everybody back to find out."""
    sent = Participant.objects.filter(mapping=study, status=ParticipantStatus.SYNCED)
    changed = sent.filter(participant_id__in=[*_RENAMED, *_MOVED])
    if len(changed) < len(_RENAMED) + len(_MOVED) or Discrepancy.objects.filter(participant__in=changed).exists():
        return
    internal = dict(changed.values_list("participant_id", "internal_id"))
    seeding.change_behind_our_back(
        study_id=study.external_study_id,
        renamed={internal[old]: new for old, new in _RENAMED.items()},
        moved={internal[value]: site for value, site in _MOVED.items()},
    )
    reading_back.hurry(study, by=by, now=now)
