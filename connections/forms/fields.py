"""Form fields the connection forms share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from connections import rules
from connections.shape import MAX_VAULT_ID
from vaultadmin.models import Membership

API_NAME_HELP = "Lowercase letters, digits, and underscores (_) between characters."
API_NAME_WARNING = (
    "Changing the API Name may break existing integrations with this connection. Its Client IDs stay as they are."
)


class ApiNameField(forms.CharField):
    """An API Name as customers may write it."""

    def __init__(self, *, standard: bool = False, **kwargs: Any) -> None:
        super().__init__(label="API Name", **{"help_text": API_NAME_HELP} | kwargs)
        self.standard = standard
        self.widget.attrs |= {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}

    def validate(self, value: Any) -> None:
        """The rule of spec and database."""
        super().validate(value)
        try:
            rules.check_api_name(value, standard=self.standard)
        except rules.RuleBroken as error:
            raise ValidationError(str(error)) from error


class ConnectionUrlField(forms.CharField):
    """The URL of an External connection; it may hold tokens."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = (
            "Begins with https:// and uses the standard port. Vault tokens and custom tokens such as ${Vault.id} "
            "can stand anywhere in it."
        )
        super().__init__(label="URL", required=False, help_text=help_text, **kwargs)
        self.widget.attrs |= {"inputmode": "url", "autocomplete": "off", "placeholder": "https://"}

    def validate(self, value: Any) -> None:
        """The rule of the spec; an empty URL is allowed."""
        super().validate(value)
        try:
            if value:
                rules.check_connection_url(value)
        except rules.RuleBroken as error:
            raise ValidationError(str(error)) from error


class VaultIdField(forms.IntegerField):
    """A Vault ID, typed as a number."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
        super().__init__(required=False, min_value=1, max_value=MAX_VAULT_ID, widget=widget, **kwargs)
        self.error_messages |= {
            "invalid": "Remote Vault ID is a whole number.",
            "min_value": "Remote Vault ID is a whole number above 0.",
            "max_value": "Remote Vault ID is too large.",
        }


class MemberField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A person of the vault."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Membership.objects.none(), required=False, empty_label="Nobody", **kwargs)


def active_members(member: Membership, *, chosen: int | None = None) -> QuerySet[Membership]:
    """Who can be the Authorized Connection User: active people of the vault, and who already is."""
    rows = Membership.objects.filter(vault=member.vault_id).select_related("user")
    active = rows.filter(is_active=True, user__is_active=True)
    return (active | rows.filter(pk=chosen)) if chosen else active


def description_field() -> forms.CharField:
    """The Description of any connection."""
    return forms.CharField(
        label="Description", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
