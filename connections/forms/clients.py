"""The dialogs of Connection Clients."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime

from connections.models import ConnectionClient
from connections.models.client import CLIENT_ID_LENGTH
from vaultadmin.rest import client_ids

_HELP = "Letters, digits, periods, underscores and hyphens. Programs send it with every call, exactly as written here."


class ClientForm(forms.Form):
    """A Client ID and a name people know it by."""

    name = forms.CharField(label="Name", max_length=128, help_text="Such as the application that uses it.")
    client_id = forms.CharField(
        label="Client ID",
        max_length=CLIENT_ID_LENGTH,
        help_text=_HELP,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )

    def clean_client_id(self) -> str:
        """The rule of the API that reads it."""
        value: str = self.cleaned_data["client_id"]
        if not client_ids.is_legal(value):
            raise forms.ValidationError("Use letters, digits, periods, underscores and hyphens only.")
        return value


class EditClientForm(ClientForm):
    """Change one. `seen` says which version of it was shown."""

    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, client: ConnectionClient, **kwargs: Any) -> None:
        initial = {"name": client.name, "client_id": client.client_id, "seen": client.modified_at.isoformat()}
        super().__init__(*args, **kwargs | {"initial": initial})

    def clean_seen(self) -> Any:
        """The moment the shown row was last changed."""
        seen = parse_datetime(self.cleaned_data["seen"])
        if seen is None or seen.tzinfo is None:
            raise forms.ValidationError("Open the Client ID again before you save.")
        return seen
