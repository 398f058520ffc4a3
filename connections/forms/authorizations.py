"""Forms of the Connection Authorizations."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.dateparse import parse_datetime

from connections.constants import AuthorizationType, RecordStatus
from connections.models import ConnectionAuthorization

_LABELS = {
    AuthorizationType.BASIC: ("User Name", "Password"),
    AuthorizationType.CLIENT_CREDENTIALS: ("Client ID", "Client Secret"),
}


class AuthorizationTypeForm(forms.Form):
    """Which kind of credentials."""

    type = forms.ChoiceField(
        label="Authorization Type",
        choices=AuthorizationType.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose an Authorization Type.",
            "invalid_choice": "Choose an Authorization Type.",
        },
    )


class _AuthorizationForm(forms.Form):
    """Name and the two halves of the credentials, labelled as the type calls them."""

    name = forms.CharField(label="Name", max_length=128)
    identity = forms.CharField(max_length=255, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    secret = forms.CharField(
        strip=False,
        max_length=4096,
        # The browser's password store belongs to people's own passwords, not to these.
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Write-only: it is stored encrypted and never shown again.",
    )

    def __init__(self, *args: Any, type_: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        identity, secret = _LABELS[AuthorizationType(type_)]
        self.fields["identity"].label, self.fields["secret"].label = identity, secret


class CreateAuthorizationForm(_AuthorizationForm):
    """A new authorization; `key` makes a double click one row."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={"key": uuid4()}, **kwargs)


class EditAuthorizationForm(_AuthorizationForm):
    """Change one; an empty secret keeps the stored one."""

    seen = forms.CharField(widget=forms.HiddenInput)
    status = forms.ChoiceField(
        label="Status",
        choices=RecordStatus.choices,
        help_text="Connections that use an inactive authorization cannot send anything.",
        error_messages={"required": "Choose a Status.", "invalid_choice": "Choose a Status."},
    )

    def __init__(self, *args: Any, authorization: ConnectionAuthorization, **kwargs: Any) -> None:
        initial = {
            "name": authorization.name,
            "identity": authorization.identity,
            "status": authorization.status,
            "seen": authorization.modified_at.isoformat(),
        }
        super().__init__(*args, type_=authorization.type, initial=initial, **kwargs)
        self.fields["secret"].required = False
        self.fields["secret"].help_text = (
            "Leave empty to keep the stored one. It is never shown."
            if authorization.secret_id
            else "None is stored here, so nothing can be sent. Enter it again; it is stored encrypted and never shown."
        )

    def clean_seen(self) -> Any:
        """The moment the shown row was last changed."""
        seen = parse_datetime(self.cleaned_data["seen"])
        if seen is None or seen.tzinfo is None:
            raise forms.ValidationError("Open the authorization again before you save.")
        return seen
