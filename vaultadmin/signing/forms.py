"""The fields by which a person signs, for any dialog that asks for a signature."""

from __future__ import annotations

from typing import Any

from django import forms

from vaultadmin.signing.credentials import Needs, Wrong


class SigningForm(forms.Form):
    """Adds *Password* and *Code* when `needs` says so. What was typed is never sent back to the browser.

    They are not required by the form itself: what must be shown is judged by `credentials.prove`, after everything
    that needs no password.
    """

    password = forms.CharField(
        label="Password",
        required=False,
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="Your signature: it is asked for every time, and kept nowhere.",
    )
    code = forms.CharField(
        label="Code",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        help_text="From your authenticator app, or a recovery code: the first signature of a session needs both.",
    )

    def __init__(self, *args: Any, needs: Needs, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.needs = needs
        if not needs.password:
            del self.fields["password"]
        if not needs.code:
            del self.fields["code"]

    def add_wrong(self, wrong: Wrong) -> None:
        """Show why the signature did not do, at its field."""
        self.add_error(wrong.field if wrong.field in self.fields else None, str(wrong))
