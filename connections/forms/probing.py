"""The form of the dialog *Test* of an authorization."""

from __future__ import annotations

from typing import Any

from django import forms

from connections.models import Connection, ConnectionAuthorization


class ChooseConnectionForm(forms.Form):
    """Which URL to ask: only of connections that use the authorization, so that its secret goes nowhere new."""

    connection = forms.ModelChoiceField(
        Connection.objects.none(),
        label="External connection",
        empty_label=None,
        error_messages={
            "required": "Choose a connection.",
            "invalid_choice": "Choose a connection that uses this authorization.",
        },
        help_text="Only connections that use this authorization: its secret is sent nowhere else.",
    )

    def __init__(self, *args: Any, authorization: ConnectionAuthorization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["connection"].queryset = authorization.connections.order_by("name", "pk")  # type: ignore[attr-defined]
