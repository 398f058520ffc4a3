"""Forms of the study team's pages: shape only; rules that need rows live in services."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from ecoa.models import DigestFrequency, SiteRhythm
from ecoa.models.rhythm import LONGEST_HOURS

_DAYS = [
    (0, _("Monday")),
    (1, _("Tuesday")),
    (2, _("Wednesday")),
    (3, _("Thursday")),
    (4, _("Friday")),
    (5, _("Saturday")),
    (6, _("Sunday")),
]


@lru_cache(maxsize=1)
def zones() -> list[tuple[str, str]]:
    """Every time zone by name."""
    return [(name, name) for name in sorted(available_timezones())]


def _time_field(label: Any, help_text: Any = "") -> forms.TimeField:
    return forms.TimeField(
        label=label, required=False, help_text=help_text, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )


def _zone_field(help_text: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=_("Time zone"), choices=zones, initial="UTC", help_text=help_text)


class RhythmForm(forms.Form):
    """What is expected of a site, and when it is quiet."""

    interval_hours = forms.IntegerField(
        label=_("Something arrives at least every … hours"),
        min_value=1,
        max_value=LONGEST_HOURS,
        initial=24,
        help_text=_("24 is every day, 168 every week. Days off do not count."),
    )
    grace_hours = forms.IntegerField(
        label=_("It may be late by … hours"),
        min_value=0,
        max_value=LONGEST_HOURS,
        initial=12,
        help_text=_("Counted in waking time only: not at night and not on days off."),
    )
    time_zone = _zone_field(_("The site's own: nights and days are those of this zone."))
    quiet_from = _time_field(_("Night begins"), _("Leave both empty for a site that sends around the clock."))
    quiet_until = _time_field(_("Night ends"))
    quiet_days = forms.TypedMultipleChoiceField(
        label=_("Days off"), choices=_DAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    whole_study = forms.BooleanField(label=_("Use this for every open site of the study"), required=False)

    @staticmethod
    def initial_of(rhythm: SiteRhythm | None) -> dict[str, Any]:
        """The declared rhythm as the form shows it."""
        if rhythm is None:
            return {}
        names = ("interval_hours", "grace_hours", "time_zone", "quiet_from", "quiet_until", "quiet_days")
        return {name: getattr(rhythm, name) for name in names}


class PauseForm(forms.Form):
    """Whole days of the site on which nothing is expected."""

    first_day = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    last_day = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Leave empty if nobody knows yet; end the pause when it is over."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=255)

    def clean(self) -> dict[str, Any]:
        """The first day comes first."""
        cleaned = super().clean() or {}
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day is before the first."))
        return cleaned

    def span(self, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
        """From midnight of the first day to midnight after the last, at the site."""
        first, last = self.cleaned_data["first_day"], self.cleaned_data["last_day"]
        end = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone) if last else None
        return datetime.combine(first, time(), tzinfo=zone), end


class SnoozeForm(forms.Form):
    """How long an alarm stays out of the way, and why."""

    days = forms.TypedChoiceField(
        label=_("Snooze for"),
        coerce=int,
        choices=[(1, _("1 day")), (3, _("3 days")), (7, _("7 days")), (14, _("14 days")), (30, _("30 days"))],
    )
    note = forms.CharField(label=_("Note"), max_length=255, help_text=_("What you found out; others see it."))


class DigestForm(forms.Form):
    """How often a digest comes, and when."""

    frequency = forms.ChoiceField(label=_("Digest"), choices=DigestFrequency.choices, widget=forms.RadioSelect)
    hour = forms.TypedChoiceField(
        label=_("At"), coerce=int, choices=[(hour, f"{hour:02}:00") for hour in range(24)], initial=6
    )
    time_zone = _zone_field(_("Yours: the digest comes at this hour of your day."))
