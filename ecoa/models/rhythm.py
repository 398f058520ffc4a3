"""How often a site is heard from, when it is quiet, and the alarms for a site that stays silent for too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from vaultadmin.permissions import Permission, can

if TYPE_CHECKING:
    from vaultadmin.models import Membership

LONGEST_HOURS = 24 * 366


class SiteRhythm(models.Model):
    """What is expected of one site: something at least every `interval_hours`, and how late it may be.

    Nights, days and pauses are the site's own, in its time zone: days off and pauses stop the clock of the interval,
    and what falls due in any quiet time is due when that ends. `due_at` is when somebody has to look, kept in the row;
    looking derives from the last arrival whether it is really time. Null: nothing is expected.
    """

    site = models.OneToOneField("ecoa.Site", models.CASCADE, primary_key=True, related_name="rhythm")
    interval_hours = models.PositiveIntegerField(_("expected at least every"))
    grace_hours = models.PositiveIntegerField(_("may be late by"), default=0)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    quiet_from = models.TimeField(_("night begins"), null=True)
    quiet_until = models.TimeField(_("night ends"), null=True)
    # Weekdays as in `date.weekday()`: Monday is 0.
    quiet_days = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("days off"), default=list)
    declared_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(interval_hours__gte=1, interval_hours__lte=LONGEST_HOURS, grace_hours__lte=LONGEST_HOURS),
                name="site_rhythm_in_range",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | (Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=F("quiet_until"))),
                name="site_rhythm_night_whole",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="site_rhythm_due")]

    def __str__(self) -> str:
        return f"Rhythm of {self.site}"


class SitePause(models.Model):
    """A time in which nothing is expected of a site: holidays, a hold on recruiting. Without an end it lasts."""

    site = models.ForeignKey("ecoa.Site", models.CASCADE, related_name="pauses")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True)
    reason = models.CharField(_("reason"), max_length=255)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-starts_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")), name="site_pause_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return self.reason


class AlarmEnd(models.TextChoices):
    """Why an alarm is over."""

    ARRIVED = "arrived", _("Something arrived")
    NOT_EXPECTED = "not_expected", _("Nothing is expected any more")


class SilenceAlarmQuerySet(models.QuerySet["SilenceAlarm"]):
    """Alarm rows."""

    def visible_to(self, member: Membership) -> SilenceAlarmQuerySet:
        """Alarms are for the study team."""
        if can(member, Permission.ECOA_STUDY_TEAM):
            return self.filter(site__vault=member.vault_id)
        return self.none()

    def open(self) -> SilenceAlarmQuerySet:
        """Alarms of sites that are still silent."""
        return self.filter(closed_at__isnull=True)


class SilenceAlarm(models.Model):
    """A site from which nothing came although something was expected, and why it was expected.

    `expected_at` is when the interval was over, `opened_at` the end of the grace. It closes by itself.
    """

    site = models.ForeignKey("ecoa.Site", models.CASCADE, related_name="alarms")
    opened_at = models.DateTimeField()
    expected_at = models.DateTimeField()
    last_arrival_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500)
    snoozed_until = models.DateTimeField(null=True)
    snoozed_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="+")
    snooze_note = models.CharField(max_length=255, blank=True)
    closed_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=12, choices=AlarmEnd.choices, blank=True)

    objects = SilenceAlarmQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["site"], condition=Q(closed_at__isnull=True), name="silence_alarm_one_open_per_site"
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, ended_by="") | (Q(closed_at__isnull=False) & ~Q(ended_by="")),
                name="silence_alarm_end_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"Silence of {self.site}"
