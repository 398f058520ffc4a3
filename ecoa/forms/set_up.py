"""Forms of the set-up: shape only; rules that need rows live in services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from connections.models import Connection
from ecoa.models import IDENTIFIER, SetUp
from ecoa.models.set_up import DEFAULT_URL
from ecoa.services import mappings
from vaultadmin.models import Membership

MOST_SITES = 200


class StudyForm(forms.Form):
    """Which study, its sites, and whether a connection is there already."""

    name = forms.CharField(label=_("Study name"), max_length=128, help_text=_("As people here call it."))
    external_study_id = forms.CharField(
        label=_("Study ID in our system"),
        max_length=255,
        validators=[IDENTIFIER],
        help_text=_("The ID the system has that owns the participant IDs. The project team maps it to eCOA's study."),
    )
    site_numbers = forms.CharField(
        label=_("Sites"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Site numbers as eCOA knows them, with commas or line breaks between, such as 1005, 2001."),
    )
    connection = forms.ModelChoiceField(
        label=_("Connection"),
        queryset=Connection.objects.none(),
        required=False,
        empty_label=_("A new connection"),
        help_text=_("Choose one if studies are sent to this eCOA system already; a new one needs credentials."),
    )

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["connection"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = mappings.usable_connections(member.vault)

    def clean_site_numbers(self) -> list[str]:
        """The numbers one by one, each once, in the order they were typed."""
        text = self.cleaned_data["site_numbers"].replace("\n", ",").replace(";", ",")
        numbers = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
        if not numbers:
            raise ValidationError(_("Enter at least one site number."))
        if len(numbers) > MOST_SITES:
            raise ValidationError(_("Enter at most 200 sites here; more are added on the study mapping."))
        for number in numbers:
            if len(number) > 255:
                raise ValidationError(_("A site number has at most 255 characters."))
            IDENTIFIER(number)
        return numbers

    @staticmethod
    def initial_of(set_up: SetUp) -> dict[str, Any]:
        """The answers given so far."""
        return {
            "name": set_up.name,
            "external_study_id": set_up.external_study_id,
            "site_numbers": ", ".join(set_up.site_numbers),
            "connection": set_up.connection_id,
        }


class CredentialsForm(forms.Form):
    """What the project team issued. With an existing connection only the tenant is asked for."""

    base_url = forms.CharField(
        label=_("Base URL"),
        max_length=500,
        initial=DEFAULT_URL,
        help_text=_("The global address, the same for all regions, unless the project team says otherwise."),
    )
    system_id = forms.CharField(
        label=_("External system ID"),
        max_length=255,
        validators=[IDENTIFIER],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Issued by Veeva, such as mv-ext-…-RTSM."),
    )
    secret = forms.CharField(
        label=_("External system secret"),
        max_length=4096,
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    tenant_id = forms.CharField(
        label=_("Tenant ID"),
        max_length=255,
        validators=[IDENTIFIER],
        help_text=_("The entity on whose behalf we call: a study, a customer, or another value the team names."),
    )
    api_version = forms.CharField(
        label=_("API version"),
        max_length=16,
        validators=[RegexValidator(r"\Av\d+\.\d\Z", _("Enter a version such as v24.3."))],
    )

    def __init__(self, *args: Any, set_up: SetUp, **kwargs: Any) -> None:
        names = ("base_url", "system_id", "tenant_id", "api_version")
        kwargs["initial"] = {name: getattr(set_up, name) for name in names}
        super().__init__(*args, **kwargs)
        self.fields["secret"].required = not set_up.secret_id
        self.fields["secret"].help_text = (
            _("Leave empty to keep the stored one. It is never shown.")
            if set_up.secret_id
            else _("Write-only: it is stored encrypted and never shown again.")
        )
        if set_up.connection_id is not None:
            for name in ("base_url", "system_id", "secret"):
                del self.fields[name]

    def values(self) -> dict[str, str]:
        """The answers as the service takes them; what was not asked is empty."""
        return {name: self.cleaned_data.get(name, "") for name in CredentialsForm.base_fields}
