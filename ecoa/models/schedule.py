"""When a study is sent by itself: the fields of a schedule, mixed into the study mapping."""

from __future__ import annotations

from zoneinfo import available_timezones

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from ecoa.timing import SHORTEST_MINUTES, Timetable


class ScheduleNote(models.TextChoices):
    """What the schedule did last. `waits`: a run was due while another of the study was open."""

    NOTHING = "nothing", _("Nothing was waiting to be sent")
    STARTED = "started", _("A run was started")
    WAITS = "waits", _("Waits until the open run is over")


def known_zone(value: str) -> None:
    """A validator: the name of a time zone this system knows."""
    if value not in available_timezones():
        raise ValidationError(_("Choose a time zone such as Europe/Berlin."))


class Scheduled(models.Model):
    """A study that is sent by itself every `schedule_minutes` within a window. Without an interval: only by hand.

    `next_run_at` is the truth the tick goes by. Days are 1 (Monday) to 7; none listed means every day.
    """

    schedule_minutes = models.IntegerField(_("interval in minutes"), null=True, blank=True)
    schedule_from = models.TimeField(_("not before"), null=True, blank=True)
    schedule_until = models.TimeField(_("not after"), null=True, blank=True)
    schedule_days = ArrayField(
        models.SmallIntegerField(), verbose_name=_("days"), default=list, db_default=[], blank=True
    )
    schedule_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", db_default="UTC", validators=[known_zone]
    )
    schedule_paused = models.BooleanField(_("schedule paused"), default=False, db_default=False)
    next_run_at = models.DateTimeField(_("next run"), null=True, editable=False)
    schedule_note = models.CharField(
        max_length=8, choices=ScheduleNote.choices, blank=True, db_default="", editable=False
    )
    schedule_noted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def timetable(self) -> Timetable | None:
        """The schedule as plain values, None when runs are started by hand only."""
        if self.schedule_minutes is None:
            return None
        return Timetable(
            minutes=max(self.schedule_minutes, SHORTEST_MINUTES),
            opens=self.schedule_from,
            closes=self.schedule_until,
            days=frozenset(self.schedule_days),
            zone=self.schedule_zone,
        )

    @property
    def schedule_waits(self) -> bool:
        return self.schedule_note == ScheduleNote.WAITS
