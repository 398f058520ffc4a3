"""Forms check shape; rules that need rows live in services and come back as form errors."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ecoa import selectors, selectors_runs
from ecoa.imports.reading import MAX_BYTES
from ecoa.models import Scope, Site, StudyMapping
from ecoa.models.schedule import known_zone
from ecoa.services import correcting, correction_task, mappings
from vaultadmin.models import Membership
from vaultadmin.signing.forms import SigningForm


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
            "radar_calls_per_hour": _("The radar never makes more. A round of scheduled calls spreads over its time."),
            "max_calls": _("At most so many calls to eCOA at a time for this study; empty: what the system may have."),
            "is_active": _("Nothing is sent for a study that is switched off."),
        }

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "connection", mappings.usable_connections(member.vault))

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
        _choices(self, "member", selectors.assignable(member))


class StartRunForm(forms.Form):
    """Which study to send, and how much of it."""

    mapping = forms.ModelChoiceField(queryset=StudyMapping.objects.none(), label=_("Study"))
    scope = forms.ChoiceField(
        label=_("What to send"),
        choices=[(scope.value, scope.label) for scope in (Scope.INCREMENTAL, Scope.ALL, Scope.CHOSEN)],
        initial=Scope.INCREMENTAL.value,
        widget=forms.RadioSelect,
    )
    participants = forms.CharField(
        label=_("Participant IDs"),
        required=False,
        max_length=500_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One on each line. For chosen participants only."),
    )

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._member = member
        _choices(self, "mapping", selectors.mappings(member).filter(is_active=True))

    def clean(self) -> dict[str, Any]:
        """Turn the typed IDs into rows this member sees; one nobody knows is named."""
        values = super().clean() or {}
        values["chosen"] = []
        if values.get("scope") == Scope.CHOSEN and values.get("mapping"):
            values["chosen"] = self._rows(values["mapping"], values.get("participants", ""))
        if "scope" in values:
            values["scope"] = Scope(values["scope"])
        return values

    def _rows(self, mapping: StudyMapping, text: str) -> list[int]:
        labels = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
        if not labels:
            self.add_error("participants", _("Enter the participant IDs, one on each line."))
            return []
        found = selectors_runs.chosen(self._member, mapping.pk, labels)
        missing = [label for label in labels if label not in found]
        if missing:
            self.add_error("participants", _("No participant of this study: %s") % ", ".join(missing[:5]))
        return list(found.values())


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
        help_text=_("Runs start within these hours; earlier than the first means the next morning. Empty: all day."),
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


class UploadForm(forms.Form):
    """A participant file for one study."""

    mapping = forms.ModelChoiceField(queryset=StudyMapping.objects.none(), label=_("Study"))
    file = forms.FileField(
        label=_("Participant file"),
        help_text=_(
            "CSV or XLSX with headings in the first row. If they tell too little, you say which column is which."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "mapping", selectors.mappings(member))

    def clean_file(self) -> Any:
        """Size only; what the file is, its content says."""
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than 256 MB. Split it and upload the parts."))
        return file


class CorrectionForm(forms.Form):
    """Another participant ID, and why."""

    new_value = forms.CharField(
        label=_("New participant ID"),
        max_length=255,
        help_text=_("Exactly as it should be in eCOA."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("What is wrong with the ID, and how you know. No names and no health data, please."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class VerdictForm(SigningForm):
    """Approve or reject a correction, signed. `version` is the hash of what is on the screen."""

    version = forms.CharField(widget=forms.HiddenInput, max_length=64)
    verdict = forms.ChoiceField(
        label=_("Verdict"),
        choices=correction_task.VERDICTS,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a verdict."), "invalid_choice": _("Choose a verdict.")},
    )
    comment = forms.CharField(
        label=_("Comment"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The site reads it. Needed when you reject."),
    )
    # Which button was pressed: empty for *Complete*, else a way to sign on a page of its own.
    sign_with = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    field_order = ("version", "verdict", "comment", "password", "code")

    def clean(self) -> dict[str, Any]:
        """A rejection needs words."""
        data = super().clean() or {}
        if data.get("verdict") == correcting.REJECT and not data.get("comment", "").strip():
            self.add_error("comment", _("Say why you reject, so that the site knows what to do."))
        return data


class ConfirmForm(forms.Form):
    """A dialog that only asks."""


def _choices(form: forms.BaseForm, name: str, rows: QuerySet[Any]) -> None:
    """What a choice offers is what this member sees; a posted id outside of it is refused."""
    field = form.fields[name]
    if not isinstance(field, forms.ModelChoiceField):
        raise TypeError(f"{name} is not a choice of rows.")
    field.queryset = rows
    field.empty_label = _("Choose …")
