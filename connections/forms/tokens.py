"""Forms of the Vault tokens."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.dateparse import parse_datetime

from connections import token_types
from connections.constants import CloneBehavior, TokenType
from connections.models import VaultToken
from connections.services import tokens

_SECRET = "secret_"  # pragma: allowlist secret
_CHOICES = {"required": "Choose one.", "invalid_choice": "Choose one of the list."}


class _TokenForm(forms.Form):
    """What every token has. A secret is asked for where another value would send it somewhere else."""

    label = forms.CharField(label="Label", max_length=token_types.LABEL_LENGTH, help_text="What people call it.")
    type = forms.ChoiceField(label="Type", choices=TokenType.choices, error_messages=_CHOICES)
    value = forms.CharField(
        label="Value",
        required=False,
        max_length=token_types.VALUE_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Not for secrets: everybody who reads connections sees it. Dates are written 2026-05-14, moments "
        "2026-05-14T08:30:00Z, lists with commas. Without a value, URLs that hold the token cannot be used.",
    )
    clone_behavior = forms.ChoiceField(
        label="Clone behavior",
        choices=CloneBehavior.choices,
        initial=CloneBehavior.CLEAR,
        error_messages=_CHOICES,
        help_text="What a sandbox made from this Vault gets. Clear the value of anything that leads to real systems.",
    )
    is_active = forms.BooleanField(
        label="Active", required=False, initial=True, help_text="An inactive token resolves to nothing."
    )

    def ask_for_secrets(self, vault_id: int, name: str) -> None:
        """One field for each authorization whose stored secret this token leads."""
        for authorization in tokens.led_authorizations(vault_id, name):
            self.fields[f"{_SECRET}{authorization.pk}"] = forms.CharField(
                label=f"{authorization.secret_label} of “{authorization}”",
                required=False,
                strip=False,
                max_length=4096,
                widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
                help_text="Needed for another value: the token stands in the host of a URL this secret is sent to.",
            )

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        data = dict(self.cleaned_data)
        typed = {name: data.pop(name) for name in list(data) if name.startswith(_SECRET)}
        return data | {"secrets": {int(name.removeprefix(_SECRET)): secret for name, secret in typed.items()}}


class CreateTokenForm(_TokenForm):
    """A new token; `key` makes a double click one row."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    name = forms.CharField(
        label="Name",
        max_length=token_types.NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
        help_text="Written as ${Vault.Name} in URLs. Begins with a letter; letters, digits and underscores (_). "
        "It cannot be changed later.",
    )
    field_order = ["key", "name", "label", "type", "value", "clone_behavior", "is_active"]

    def __init__(self, data: Any = None, *, vault_id: int) -> None:
        super().__init__(data, initial={"key": uuid4()})
        name = str(self.data.get("name", ""))
        if token_types.is_name(name):
            self.ask_for_secrets(vault_id, name)

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        data = super().values()
        data["creation_key"] = data.pop("key")
        return data


class EditTokenForm(_TokenForm):
    """Change everything but the name. `seen` says which version of the token was shown."""

    seen = forms.CharField(widget=forms.HiddenInput)
    field_order = ["seen", "label", "type", "value", "clone_behavior", "is_active"]

    def __init__(self, data: Any = None, *, token: VaultToken) -> None:
        initial = {
            "label": token.label,
            "type": token.type,
            "value": token.value,
            "clone_behavior": token.clone_behavior,
            "is_active": token.is_active,
            "seen": token.modified_at.isoformat(),
        }
        super().__init__(data, initial=initial)
        self.ask_for_secrets(token.vault_id, token.name)

    def clean_seen(self) -> Any:
        """The moment the shown token was last changed."""
        seen = parse_datetime(self.cleaned_data["seen"])
        if seen is None or seen.tzinfo is None:
            raise forms.ValidationError("Open the token again before you save.")
        return seen
