"""The inline forms of a record page: one per section, with only the fields that may change now."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime

from connections.forms.fields import (
    API_NAME_HELP,
    API_NAME_WARNING,
    ApiNameField,
    ConnectionUrlField,
    MemberField,
    VaultIdField,
    active_members,
    description_field,
)
from connections.models import Connection, ConnectionAuthorization
from connections.services import editing
from vaultadmin.models import Membership

DETAILS, REMOTE = "details", "remote"


class _SectionForm(forms.Form):
    """Fields of one section, filled from the record. `seen` says which version of the record was shown."""

    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, connection: Connection, member: Membership, **kwargs: Any) -> None:
        initial = {name: getattr(connection, name) for name in self.base_fields if hasattr(connection, name)}
        kwargs["initial"] = initial | {"seen": connection.modified_at.isoformat()}
        super().__init__(*args, **kwargs)
        self.connection, self.member = connection, member
        kept = editing.editable_fields(connection) | {"seen", "confirmed", "secret"}
        for name in set(self.fields) - kept:
            del self.fields[name]

    def clean_seen(self) -> Any:
        """The moment the shown record was last changed."""
        seen = parse_datetime(self.cleaned_data["seen"])
        if seen is None or seen.tzinfo is None:
            raise forms.ValidationError("Open the record again before you save.")
        return seen

    def changes(self) -> dict[str, Any]:
        """The fields to write."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ("seen", "confirmed", "secret")}


class DetailsForm(_SectionForm):
    """The Details section of any type."""

    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label="Name", max_length=128)
    api_name = ApiNameField(help_text=f"{API_NAME_HELP} {API_NAME_WARNING}")
    url = ConnectionUrlField()
    authorization = forms.ModelChoiceField(
        ConnectionAuthorization.objects.none(), label="Authorization", required=False, empty_label="None"
    )
    secret = forms.CharField(
        label="Password or Client Secret of the authorization",
        required=False,
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Only needed when the URL moves to another host: a stored secret is not sent anywhere new unasked.",
    )
    remote_vault_id = VaultIdField(
        label="Remote Vault ID", help_text="Changing it makes a connection file that is out worthless."
    )
    description = description_field()
    authorized_user = MemberField(label="Authorized Connection User")

    def __init__(self, *args: Any, connection: Connection, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, connection=connection, member=member, **kwargs)
        self.warning = ""
        chosen = connection.authorized_user_id
        self.fields["authorized_user"].queryset = active_members(member, chosen=chosen)  # type: ignore[attr-defined]
        if connection.is_external:
            usable = ConnectionAuthorization.objects.filter(vault=member.vault_id)
            self.fields["authorization"].queryset = usable  # type: ignore[attr-defined]
        else:
            del self.fields["secret"]

    def clean(self) -> dict[str, Any]:
        """A changed API Name is saved at the second Save, after the warning was shown."""
        data = super().clean() or {}
        name = data.get("api_name", self.connection.api_name)
        if name != self.connection.api_name and data.get("confirmed") != name:
            self.warning = API_NAME_WARNING
            self.data = self.data.copy()  # type: ignore[attr-defined]
            self.data["confirmed"] = name  # type: ignore[index]
        return data


class RemoteForm(_SectionForm):
    """The Remote Vault Details section: notes for people."""

    remote_vault_name = forms.CharField(label="Remote Vault Name", required=False, max_length=128)
    remote_vault_dns = forms.CharField(label="Remote Vault DNS", required=False, max_length=253)
    remote_domain = forms.CharField(label="Remote Domain", required=False, max_length=253)
    remote_application = forms.CharField(label="Remote Application", required=False, max_length=64)


SECTIONS: dict[str, type[_SectionForm]] = {DETAILS: DetailsForm, REMOTE: RemoteForm}
