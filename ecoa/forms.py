"""Forms check shape; rules that need rows live in services and come back as form errors."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ecoa import selectors
from ecoa.imports.reading import MAX_BYTES
from ecoa.models import Scope, Site, StudyMapping
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
            "is_active",
        )
        help_texts = {
            "connection": _("External connections with a Client Credential authorization."),
            "tenant_id": _("The entity on whose behalf you call eCOA; your project team gives it to you."),
            "external_study_id": _("The study's ID in the system that owns the participant IDs."),
            "fixed_region": _("Only if the project team says the study has one region, such as https://…/."),
            "read_back": _("Confirm every participant with a second call. Takes twice as long."),
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
        choices=[(Scope.INCREMENTAL.value, Scope.INCREMENTAL.label), (Scope.ALL.value, Scope.ALL.label)],
        initial=Scope.INCREMENTAL.value,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "mapping", selectors.mappings(member).filter(is_active=True))


class UploadForm(forms.Form):
    """A participant file for one study."""

    mapping = forms.ModelChoiceField(queryset=StudyMapping.objects.none(), label=_("Study"))
    file = forms.FileField(
        label=_("Participant file"),
        help_text=_("CSV or XLSX with the columns site, participantId and internalId."),
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


class ConfirmForm(forms.Form):
    """A dialog that only asks."""


def _choices(form: forms.BaseForm, name: str, rows: QuerySet[Any]) -> None:
    """What a choice offers is what this member sees; a posted id outside of it is refused."""
    field = form.fields[name]
    if not isinstance(field, forms.ModelChoiceField):
        raise TypeError(f"{name} is not a choice of rows.")
    field.queryset = rows
    field.empty_label = _("Choose …")
