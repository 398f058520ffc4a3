"""What people decide about a site's rhythm: declare it, pause it, close the site, snooze an alarm."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Q

from ecoa.models import SilenceAlarm, Site, SitePause, SiteRhythm, StudyMapping
from ecoa.services.refusals import Refused
from ecoa.silence import looking
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, PermissionRefused, ensure

LONGEST_SNOOZE = timedelta(days=30)
_AUDITED = ["interval_hours", "grace_hours", "time_zone", "quiet_from", "quiet_until", "quiet_days"]


def declare(
    *,
    site: Site,
    interval_hours: int,
    grace_hours: int,
    time_zone: str,
    quiet_from: time | None,
    quiet_until: time | None,
    quiet_days: list[int],
    whole_study: bool = False,
    by: Membership,
    now: datetime,
) -> int:
    """Expect news of a site, or of every open site of its study; returns of how many. The clock starts now."""
    _ensure(by, site)
    if len(set(quiet_days)) > 6:
        raise Refused("Leave at least one day on which something is expected.", field="quiet_days")
    if (quiet_from is None) != (quiet_until is None):
        raise Refused("Enter when the night begins and when it ends, or neither.", field="quiet_until")
    if quiet_from is not None and quiet_from == quiet_until:
        raise Refused("The night would last all day. Enter another end.", field="quiet_until")
    values = {
        "interval_hours": interval_hours,
        "grace_hours": grace_hours,
        "time_zone": time_zone,
        "quiet_from": quiet_from,
        "quiet_until": quiet_until,
        "quiet_days": sorted(set(quiet_days)),
    }
    sites = Site.objects.filter(vault=site.vault_id)
    chosen = sites.filter(mapping=site.mapping_id, closed_on__isnull=True) if whole_study else sites.filter(pk=site.pk)
    with transaction.atomic():
        rows = list(chosen.select_related("mapping", "vault").order_by("pk"))
        for row in rows:
            _declare(row, values, by, now)
    return len(rows)


def withdraw(*, site: Site, by: Membership, now: datetime) -> None:
    """Expect nothing of a site any more; an open alarm closes with the next look."""
    _ensure(by, site)
    with transaction.atomic():
        rhythm = SiteRhythm.objects.select_for_update().filter(pk=site.pk).first()
        if rhythm is None:
            raise Refused("Nothing is expected of this site already.")
        changes = {label: (value, None) for label, (_, value) in audit.created(rhythm, _AUDITED).items()}
        rhythm.delete()
        _record(site, "site.rhythm_withdrawn", changes, by)


def pause(
    *, site: Site, starts_at: datetime, ends_at: datetime | None, reason: str, by: Membership, now: datetime
) -> SitePause:
    """Expect nothing of a site for a time; without an end until somebody ends it."""
    _ensure(by, site)
    if ends_at is not None and ends_at <= starts_at:
        raise Refused("The pause must end after it starts.", field="ends_at")
    if ends_at is not None and ends_at <= now:
        raise Refused("This time is over. Enter an end in the future.", field="ends_at")
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site.pk)
        meeting = site.pauses.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=starts_at))
        if ends_at is not None:
            meeting = meeting.filter(starts_at__lt=ends_at)
        if other := meeting.first():
            raise Refused(f"The site is paused in this time already: {other}.", field="starts_at")
        made = SitePause.objects.create(
            site=site, starts_at=starts_at, ends_at=ends_at, reason=reason, created_at=now, created_by=by
        )
        span = f"{starts_at:%Y-%m-%d %H:%M} – {f'{ends_at:%Y-%m-%d %H:%M}' if ends_at else 'open'} UTC"
        _record(site, "site.paused", {"pause": (None, span)}, by, reason)
        looking.reconsider(site, now=now)
    return made


def end_pause(row: SitePause, *, by: Membership, now: datetime) -> None:
    """End a pause now; one that has not begun is taken back."""
    _ensure(by, row.site)
    with transaction.atomic():
        locked = SitePause.objects.select_for_update().filter(pk=row.pk).first()
        if locked is None or (locked.ends_at is not None and locked.ends_at <= now):
            raise Refused("This pause is over already.")
        if locked.starts_at >= now:
            locked.delete()
        else:
            locked.ends_at = now
            locked.save(update_fields=["ends_at"])
        _record(row.site, "site.pause_ended", {"pause": (str(locked), None)}, by)
        looking.reconsider(row.site, now=now)


def close(*, site: Site, by: Membership, now: datetime) -> None:
    """The site is closed from today on: nothing is expected of it any more."""
    _ensure(by, site)
    today = now.date()
    with transaction.atomic():
        if not Site.objects.filter(pk=site.pk, closed_on__isnull=True).update(closed_on=today):
            raise Refused("This site is closed already.")
        _record(site, "site.closed", {"closed on": (None, today.isoformat())}, by)
        looking.reconsider(site, now=now)


def reopen(*, site: Site, by: Membership, now: datetime) -> None:
    """The site is open again; its clock starts anew."""
    _ensure(by, site)
    with transaction.atomic():
        locked = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        if locked.closed_on is None:
            raise Refused("This site is open already.")
        _record(site, "site.reopened", {"closed on": (locked.closed_on.isoformat(), None)}, by)
        locked.closed_on = None
        locked.save(update_fields=["closed_on"])
        SiteRhythm.objects.filter(pk=site.pk).update(declared_at=now)
        looking.reconsider(locked, now=now)


def restart(mapping: StudyMapping, *, now: datetime) -> None:
    """A study was switched on again: its sites' clocks start anew. Inside the caller's transaction."""
    SiteRhythm.objects.filter(site__mapping=mapping).update(declared_at=now, due_at=now)


def snooze(alarm: SilenceAlarm, *, until: datetime, note: str, by: Membership, now: datetime) -> None:
    """Do not ask for attention until a moment; the alarm stays, and tells again if the site is silent then."""
    _ensure(by, alarm.site)
    if not now < until <= now + LONGEST_SNOOZE:
        raise Refused(f"Choose an end within the next {LONGEST_SNOOZE.days} days.", field="until")
    with transaction.atomic():
        rows = SilenceAlarm.objects.open().filter(pk=alarm.pk)
        if not rows.update(snoozed_until=until, snoozed_by=by, snooze_note=note):
            raise Refused("This alarm is over: the site was heard from.")
        changes: audit.Changes = {"snoozed until": (None, until.isoformat())}
        _record(alarm.site, "site.silence_snoozed", changes, by, note)


def zone_of(site: Site) -> ZoneInfo:
    """The zone a site's times are entered and shown in."""
    rhythm = SiteRhythm.objects.filter(pk=site.pk).first()
    return ZoneInfo(rhythm.time_zone if rhythm else "UTC")


def _declare(site: Site, values: dict[str, object], by: Membership, now: datetime) -> None:
    rhythm = SiteRhythm.objects.select_for_update().filter(pk=site.pk).first()
    before = audit.snapshot(rhythm, _AUDITED) if rhythm else {}
    if rhythm is None:
        rhythm = SiteRhythm(site=site)
    for name, value in values.items():
        setattr(rhythm, name, value)
    rhythm.declared_at = now
    try:
        with transaction.atomic():
            rhythm.save()
    except IntegrityError as error:
        raise Refused("Somebody else changed this rhythm at the same moment. Look at it again.") from error
    changes = audit.diff(before, rhythm, _AUDITED)
    if changes:
        _record(site, "site.rhythm_declared", changes, by)
    looking.reconsider(site, now=now)


def _ensure(by: Membership, site: Site) -> None:
    if by.vault_id != site.vault_id:
        raise PermissionRefused(Permission.ECOA_STUDY_TEAM)
    ensure(by, Permission.ECOA_STUDY_TEAM)


def _record(site: Site, event: str, changes: audit.Changes, by: Membership, reason: str = "") -> None:
    audit.record(vault=site.vault, by=by, event=event, subject=site, changes=changes, reason=reason)
