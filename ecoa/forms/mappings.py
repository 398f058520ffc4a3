"""A study and its connection, its schedule, its sites and who sees them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ecoa.forms.fields import offer
from ecoa.models import Site, StudyMapping
from ecoa.models.schedule import known_zone
from ecoa.selectors import sites as site_rows
from ecoa.services import mappings
from vaultadmin.models import Membership


class MappingForm(forms.ModelForm):
    """Which study, over which connection."""

    class Meta:
        model = StudyMapping
        fields = (
            "name",
            "connection",
            "tenant_id",
            "external_study_id",
            "api_version",
            "fixed_region",
            "read_back",
            "max_calls",
            "radar_is_on",
            "radar_every_hours",
            "radar_calls_per_hour",
            "is_active",
        )
        help_texts = {
            "connection": _("External connections with a Client Credential authorization."),
            "tenant_id": _("The entity on whose behalf you call eCOA; your project team gives it to you."),
            "external_study_id": _("The study's ID in the system that owns the participant IDs."),
            "fixed_region": _("Only if the project team says the study has one region, such as https://…/."),
            "read_back": _("Confirm every participant with a second call. Takes twice as long."),
            "radar_is_on": _("The drift radar asks eCOA about everybody it confirmed, round after round."),
            "radar_calls_per_hour": _("The radar never makes more, and spreads a scheduled round over its time."),
            "max_calls": _("The most calls to eCOA at a time for this study. Empty: as many as the system may have."),
            "is_active": _("Nothing is sent for a study that is switched off."),
        }

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "connection", mappings.usable_connections(member.vault))

    def validate_unique(self) -> None:
        """Left to the service, which says it in its own words."""

    def clean_fixed_region(self) -> str:
        """Form only; whether the host is trusted, the service knows."""
        region: str = self.cleaned_data["fixed_region"]
        if region and not region.startswith("https://"):
            raise forms.ValidationError(_("Enter an address that begins with https://."))
        return region


class SiteForm(forms.ModelForm):
    """A site of a study."""

    class Meta:
        model = Site
        fields = ("number", "name")
        help_texts = {"number": _("As the study and eCOA call it, such as 1005.")}


class AssignForm(forms.Form):
    """Who sees a site."""

    member = forms.ModelChoiceField(queryset=Membership.objects.none(), label=_("Member of the site staff"))

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "member", site_rows.assignable(member))


INTERVALS = (
    ("", _("No schedule: runs are started by hand")),
    ("5", _("Every 5 minutes")),
    ("15", _("Every 15 minutes")),
    ("30", _("Every 30 minutes")),
    ("60", _("Every hour")),
    ("120", _("Every 2 hours")),
    ("240", _("Every 4 hours")),
    ("720", _("Every 12 hours")),
    ("1440", _("Every day")),
    ("10080", _("Every week")),
)


DAYS = tuple(
    (str(number), name)
    for number, name in enumerate(
        (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")), start=1
    )
)


class ScheduleForm(forms.Form):
    """When a study is sent by itself."""

    minutes = forms.TypedChoiceField(
        label=_("How often"), choices=INTERVALS, coerce=int, empty_value=None, required=False
    )
    opens = forms.TimeField(
        label=_("Not before"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    closes = forms.TimeField(
        label=_("Not after"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("Runs start within these hours. An end before the begin is on the next morning. Empty: all day."),
    )
    days = forms.TypedMultipleChoiceField(
        label=_("Days"),
        choices=DAYS,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked means every day."),
    )
    zone = forms.CharField(label=_("Time zone"), max_length=64, initial="UTC", help_text=_("Such as Europe/Berlin."))
    paused = forms.BooleanField(
        label=_("Paused"), required=False, help_text=_("The schedule is kept, and starts nothing.")
    )

    def clean_zone(self) -> str:
        """The name of a time zone."""
        zone: str = self.cleaned_data["zone"]
        known_zone(zone)
        return zone
