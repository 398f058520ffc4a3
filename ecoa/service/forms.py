"""Forms of the service's pages: shape only; rules that need rows live beside the models."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from ecoa.contract import IDENTIFIER_MAX, Region
from ecoa.models import IDENTIFIER
from ecoa.service import selectors
from ecoa.service.faults import HOLD_MAX_SECONDS, Distribution, FaultCall, FaultKind
from ecoa.service.models import ServiceFault, ServiceSystem
from vaultadmin.models import Membership

_ADDRESSES_MAX = 100
_SEED_MAX = 2**31 - 1
_REGIONS = [(region.value, region.name) for region in Region]


class _Lines(forms.CharField):
    """One entry a line, or separated by commas."""

    widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        return [part for part in text.replace(",", "\n").split() if part]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def validate(self, value: Any) -> None:
        super().validate(value)
        if len(value) > _ADDRESSES_MAX:
            raise forms.ValidationError(_("Name networks instead: at most 100 entries."))


def _identifier(label: Any, text: Any = "") -> forms.CharField:
    return forms.CharField(label=label, help_text=text, max_length=IDENTIFIER_MAX, validators=[IDENTIFIER])


def _addresses() -> _Lines:
    return _Lines(
        label=_("Allowed addresses"),
        required=False,
        help_text=_("IP addresses or networks, one a line, such as 192.0.2.7 or 10.1.0.0/16. Empty: from anywhere."),
    )


class SystemForm(forms.Form):
    """A new integrating system."""

    external_id = _identifier(_("External system ID"), _("What the system calls itself, such as mv-ext-Pharm-RTSM."))
    tenant_id = _identifier(_("Tenant ID"), _("On whose behalf it calls: a study, a customer or another entity."))
    allowed_addresses = _addresses()


class SystemEditForm(forms.Form):
    """Where a system may call from, and whether at all."""

    allowed_addresses = _addresses()
    integration_enabled = forms.BooleanField(label=_("Integration enabled"), required=False)


class TenantForm(forms.Form):
    """One more entity a system calls for."""

    tenant_id = _identifier(_("Tenant ID"))


class IssueForm(forms.Form):
    """How long the secret before goes on to hold."""

    OVERLAPS = {"0": timedelta(), "1": timedelta(hours=1), "24": timedelta(days=1), "168": timedelta(days=7)}
    overlap = forms.ChoiceField(
        label=_("The secret before holds for another"),
        choices=[("24", _("day")), ("1", _("hour")), ("168", _("week")), ("0", _("no time: it ends at once"))],
        initial="24",
        widget=forms.RadioSelect,
    )

    def clean_overlap(self) -> timedelta:
        """The choice as a span of time."""
        return self.OVERLAPS[self.cleaned_data["overlap"]]


class StudyForm(forms.Form):
    """A new study."""

    external_id = _identifier(_("Study ID"), _("The study's ID in the systems that call."))


class ServiceSiteForm(forms.Form):
    """A new site of a study."""

    number = _identifier(_("Site number"), _("As the study calls it, such as 1005."))
    region = forms.ChoiceField(label=_("Region"), choices=_REGIONS)


class MoveSiteForm(forms.Form):
    """Another region for a site."""

    region = forms.ChoiceField(label=_("Region"), choices=_REGIONS)


class MapSystemForm(forms.Form):
    """Which system may reach the study."""

    system = forms.ModelChoiceField(queryset=ServiceSystem.objects.none(), label=_("System"), empty_label=_("Choose …"))

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ModelChoiceField[ServiceSystem]", self.fields["system"])
        field.queryset = selectors.systems(member).order_by("external_id")


class PlayForm(forms.Form):
    """The seed of a scenario's chance."""

    seed = forms.IntegerField(
        label=_("Seed"),
        min_value=0,
        max_value=_SEED_MAX,
        initial=1,
        help_text=_("The same seed meets the same calls of a sequence again."),
    )


class _Moment(forms.DateTimeInput):
    """A date and time to pick, in UTC."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


def _seconds(label: Any, text: Any = "", *, initial: float = 0) -> forms.FloatField:
    return forms.FloatField(
        label=label, help_text=text, min_value=0, max_value=HOLD_MAX_SECONDS, required=False, initial=initial
    )


class FaultForm(forms.ModelForm):
    """One fault."""

    kind = forms.ChoiceField(label=_("What happens"), choices=FaultKind.choices)
    call = forms.ChoiceField(label=_("In which call"), choices=FaultCall.choices, initial=FaultCall.POST)
    region = forms.ChoiceField(
        label=_("Where"), choices=[*_REGIONS, ("global", _("Global address (discovery)"))], initial=Region.US
    )
    share = forms.FloatField(label=_("Share in %"), min_value=0, max_value=100, initial=20)
    seed = forms.IntegerField(
        label=_("Seed"),
        min_value=0,
        max_value=_SEED_MAX,
        initial=1,
        help_text=_("The same seed meets the same calls of a sequence again."),
    )
    remaining = forms.IntegerField(
        label=_("Times"),
        min_value=1,
        max_value=_SEED_MAX,
        required=False,
        help_text=_("How often it happens before it is over. Empty: without end."),
    )
    hold_seconds = _seconds(
        _("Seconds"), _("How long a slow answer takes or, with 429, when to come again; the median if log-normal.")
    )
    distribution = forms.ChoiceField(label=_("Seconds vary"), choices=Distribution.choices)
    least_seconds = _seconds(_("At least"))
    most_seconds = _seconds(_("At most"), initial=HOLD_MAX_SECONDS)
    starts_at = forms.DateTimeField(label=_("From"), required=False, widget=_Moment(), help_text=_("In UTC."))
    ends_at = forms.DateTimeField(label=_("Until"), required=False, widget=_Moment(), help_text=_("In UTC."))
    cycle_seconds = forms.IntegerField(
        label=_("In every … seconds"),
        min_value=1,
        max_value=86_400,
        required=False,
        help_text=_("Empty: all the time."),
    )
    active_seconds = forms.IntegerField(
        label=_("Only the first … seconds"), min_value=1, max_value=86_400, required=False
    )

    class Meta:
        model = ServiceFault
        fields = (
            *("kind", "call", "region", "share", "seed", "remaining", "internal_id_prefix"),
            *("hold_seconds", "distribution", "least_seconds", "most_seconds"),
            *("starts_at", "ends_at", "cycle_seconds", "active_seconds"),
        )

    def clean_hold_seconds(self) -> float:
        """Nothing entered is no time."""
        return self.cleaned_data["hold_seconds"] or 0.0

    def clean_least_seconds(self) -> float:
        """Nothing entered is no time."""
        return self.cleaned_data["least_seconds"] or 0.0

    def clean_most_seconds(self) -> float:
        """Nothing entered is no bound but the one every fault has."""
        value: float | None = self.cleaned_data["most_seconds"]
        return HOLD_MAX_SECONDS if value is None else value
