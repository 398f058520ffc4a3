"""Looking after the rhythms: opens an alarm where nothing came, closes it when something did. A tick's work.

Everything is derived from rows, one site and one transaction at a time; a second look finds nothing to do.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from ecoa.models import AlarmEnd, SilenceAlarm, Site, SiteRhythm
from ecoa.silence import telling
from ecoa.silence.expecting import Due, Pause, Rhythm, due
from vaultadmin import audit

ACTOR = audit.System("eCOA silence alarm")
BATCH = 500


def look(*, now: datetime) -> int:
    """Look at every site that is due and every alarm that may be over; returns how many alarms opened or closed."""
    moved = sum(_look_at(pk, now) for pk in _due_ids(now))
    moved += sum(_look_again(pk, now) for pk in _open_ids())
    telling.tell_of_ended_snoozes(now=now)
    return moved


def expected(rhythm: SiteRhythm, *, now: datetime) -> Due | None:
    """When the site should be heard from next, or should have been; None while nothing is expected of it."""
    site = rhythm.site
    local_day = now.astimezone(ZoneInfo(rhythm.time_zone)).date()
    if not site.mapping.is_active or (site.closed_on is not None and site.closed_on <= local_day):
        return None
    pauses = tuple(Pause(row.starts_at, row.ends_at) for row in site.pauses.all())
    ended = [pause.end for pause in pauses if pause.end is not None and pause.end <= now]
    since = max(moment for moment in (site.last_arrival_at, rhythm.declared_at, *ended) if moment is not None)
    paused = next((pause for pause in pauses if _holds(pause, now)), None)
    if paused is not None:
        if paused.end is None:
            return None
        since = max(since, paused.end)
    return due(_rule(rhythm, pauses), since=since)


def reconsider(site: Site, *, now: datetime) -> None:
    """Set when to look at a site next, after something about its rhythm changed; inside the caller's transaction."""
    rhythm = _locked(site.pk)
    if rhythm is None or SilenceAlarm.objects.open().filter(site=site).exists():
        return
    _set_due(rhythm, expected(rhythm, now=now))


def _due_ids(now: datetime) -> list[int]:
    rows = SiteRhythm.objects.filter(due_at__lte=now).order_by("due_at")
    return list(rows.values_list("pk", flat=True)[:BATCH])


def _open_ids() -> list[int]:
    """Sites whose alarm may be over: something came since, or what was expected changed. Few rows at any time."""
    rows = SilenceAlarm.objects.open().order_by("pk")
    return list(rows.values_list("site_id", flat=True)[: 4 * BATCH])


@transaction.atomic
def _look_at(site_id: int, now: datetime) -> int:
    """One site that is due: silence, or only a look too early because something arrived meanwhile."""
    rhythm = _locked(site_id)
    if rhythm is None or rhythm.due_at is None or rhythm.due_at > now:
        return 0
    found = expected(rhythm, now=now)
    if found is None or found.alarm_at > now or SilenceAlarm.objects.open().filter(site=site_id).exists():
        _set_due(rhythm, found if found is not None and found.alarm_at > now else None)
        return 0
    _set_due(rhythm, None)
    _open(rhythm, found, now)
    return 1


@transaction.atomic
def _look_again(site_id: int, now: datetime) -> int:
    """One site with an open alarm: close it when something came or nothing is expected any more."""
    rhythm = _locked(site_id)
    alarm = SilenceAlarm.objects.open().select_for_update().filter(site=site_id).first()
    if alarm is None:
        return 0
    found = expected(rhythm, now=now) if rhythm is not None else None
    site = Site.objects.select_related("vault").get(pk=site_id)
    arrived = site.last_arrival_at is not None and site.last_arrival_at != alarm.last_arrival_at
    if not arrived and found is not None and found.alarm_at <= now:
        return 0
    _close(alarm, site, AlarmEnd.ARRIVED if arrived else AlarmEnd.NOT_EXPECTED, now)
    if rhythm is not None:
        _set_due(rhythm, found)
    return 1


def _open(rhythm: SiteRhythm, found: Due, now: datetime) -> None:
    site = rhythm.site
    alarm = SilenceAlarm.objects.create(
        site=site,
        opened_at=now,
        expected_at=found.expected_at,
        last_arrival_at=site.last_arrival_at,
        reason=why(rhythm, found),
    )
    telling.tell_of_silence(alarm, now=now)
    changes: audit.Changes = {"expected at": (None, found.expected_at.isoformat())}
    _record(site, "site.silent", changes, alarm.reason)


def _close(alarm: SilenceAlarm, site: Site, end: AlarmEnd, now: datetime) -> None:
    alarm.closed_at, alarm.ended_by = now, end
    alarm.save(update_fields=["closed_at", "ended_by"])
    _record(site, "site.silence_ended", {"silence": (str(alarm.opened_at), None)}, str(end.label))


def why(rhythm: SiteRhythm, found: Due) -> str:
    """Why something was expected, in the site's own time."""
    zone = ZoneInfo(rhythm.time_zone)
    at = f"{found.expected_at.astimezone(zone):%d %b %Y %H:%M}"
    last = rhythm.site.last_arrival_at
    before = (
        f"the last news came on {last.astimezone(zone):%d %b %Y %H:%M}"
        if last
        else f"nothing has come since the rhythm was declared on {rhythm.declared_at.astimezone(zone):%d %b %Y %H:%M}"
    )
    grace = f", with {hours(rhythm.grace_hours)} of grace" if rhythm.grace_hours else ""
    return (
        f"Something was expected by {at} ({rhythm.time_zone}): this site reports at least every "
        f"{hours(rhythm.interval_hours)}{grace}, and {before}."
    )


def hours(number: int) -> str:
    """A number of hours as people say it."""
    if number % 24 == 0 and number >= 48:
        return f"{number // 24} days"
    return f"{number} hours" if number != 1 else "1 hour"


def _rule(rhythm: SiteRhythm, pauses: tuple[Pause, ...]) -> Rhythm:
    night = (rhythm.quiet_from, rhythm.quiet_until) if rhythm.quiet_from and rhythm.quiet_until else None
    return Rhythm(
        interval=timedelta(hours=rhythm.interval_hours),
        grace=timedelta(hours=rhythm.grace_hours),
        zone=ZoneInfo(rhythm.time_zone),
        night=night,
        days_off=frozenset(rhythm.quiet_days),
        pauses=pauses,
    )


def _holds(pause: Pause, now: datetime) -> bool:
    return pause.start <= now and (pause.end is None or pause.end > now)


def _locked(site_id: int) -> SiteRhythm | None:
    rows = SiteRhythm.objects.select_for_update(of=("self",)).select_related("site__mapping", "site__vault")
    return rows.prefetch_related("site__pauses").filter(pk=site_id).first()


def _set_due(rhythm: SiteRhythm, found: Due | None) -> None:
    rhythm.due_at = found.alarm_at if found is not None else None
    rhythm.save(update_fields=["due_at"])


def _record(site: Site, event: str, changes: audit.Changes, reason: str) -> None:
    audit.record(vault=site.vault, by=ACTOR, event=event, subject=site, changes=changes, reason=reason)
