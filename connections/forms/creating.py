"""The forms of the create wizard: the type, and the fields of each type."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms

from connections.constants import ConnectionType
from connections.forms.fields import (
    ApiNameField,
    ConnectionUrlField,
    MemberField,
    VaultIdField,
    active_members,
    description_field,
)
from connections.models import ConnectionAuthorization
from connections.services.creating import REMOTE_FIELDS
from vaultadmin.models import Membership

_USER_HELP = {
    ConnectionType.VAULT_TO_VAULT: "The remote Vault reads and writes in this Vault as this user.",
    ConnectionType.EXTERNAL: "The external application reads and writes in this Vault as this user. Without one it "
    "cannot create session tokens.",
    ConnectionType.LOCAL: "This Vault calls itself as this user. Without one it cannot reach what needs credentials.",
}


class TypeForm(forms.Form):
    """Step 1."""

    connection_type = forms.ChoiceField(
        label="Connection Type",
        choices=ConnectionType.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a Connection Type.", "invalid_choice": "Choose a Connection Type."},
    )


class _DetailsForm(forms.Form):
    """Step 2: what every type has. `key` makes a double click one record."""

    connection_type: ConnectionType
    key = forms.UUIDField(widget=forms.HiddenInput)
    name = forms.CharField(label="Name", max_length=128)
    api_name = ApiNameField()
    description = description_field()
    authorized_user = MemberField(label="Authorized Connection User")

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        kwargs["initial"] = {"key": uuid4()} | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        self.fields["authorized_user"].queryset = active_members(member)  # type: ignore[attr-defined]
        self.fields["authorized_user"].help_text = _USER_HELP[self.connection_type]

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        data = dict(self.cleaned_data)
        data["creation_key"] = data.pop("key")
        return data


class VaultToVaultForm(_DetailsForm):
    """The fields of a Vault to Vault connection; only Name and API Name are required."""

    connection_type = ConnectionType.VAULT_TO_VAULT
    remote_vault_id = VaultIdField(
        label="Remote Vault ID",
        help_text="With it only that Vault can upload the connection file, and no approval is needed. "
        "Without it an Approval Workflow begins in both Vaults.",
    )
    remote_vault_name = forms.CharField(label="Remote Vault Name", required=False, max_length=128)
    remote_vault_dns = forms.CharField(label="Remote Vault DNS", required=False, max_length=253)
    remote_domain = forms.CharField(label="Remote Domain", required=False, max_length=253)
    remote_application = forms.CharField(label="Remote Application", required=False, max_length=64)
    field_order = ["key", "name", "api_name", "remote_vault_id", "description", "authorized_user"]

    def values(self) -> dict[str, Any]:
        """What the service takes; the remote fields travel together."""
        data = super().values()
        data["remote"] = {name: data.pop(name) for name in REMOTE_FIELDS}
        return data


class ExternalForm(_DetailsForm):
    """The fields of an External connection."""

    connection_type = ConnectionType.EXTERNAL
    url = ConnectionUrlField()
    authorization = forms.ModelChoiceField(
        ConnectionAuthorization.objects.none(),
        label="Authorization",
        required=False,
        empty_label="None",
        help_text="The credentials this Vault sends. The external system must be configured to accept them.",
    )
    field_order = ["key", "name", "api_name", "url", "authorization", "description", "authorized_user"]

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        usable = ConnectionAuthorization.objects.filter(vault=member.vault_id)
        self.fields["authorization"].queryset = usable  # type: ignore[attr-defined]


class LocalForm(_DetailsForm):
    """The fields of a Local connection."""

    connection_type = ConnectionType.LOCAL


FORMS: dict[str, type[_DetailsForm]] = {
    ConnectionType.VAULT_TO_VAULT: VaultToVaultForm,
    ConnectionType.EXTERNAL: ExternalForm,
    ConnectionType.LOCAL: LocalForm,
}
