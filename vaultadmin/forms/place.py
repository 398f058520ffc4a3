"""The form by which an operator says what an installation in another place is."""

from __future__ import annotations

from typing import Any

from django import forms

from vaultadmin.services.place import Decision
from vaultadmin.signing.forms import SigningForm


class PlaceForm(SigningForm):
    """The decision, why, the signature, and the version of what was looked at."""

    version = forms.CharField(widget=forms.HiddenInput, max_length=64)
    decision = forms.ChoiceField(
        label="What is this installation?",
        choices=Decision.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say what this installation is."},
    )
    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept in the audit trail.",
    )
    sign_with = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    field_order = ("version", "decision", "reason", "password", "code")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.visible = [bound for bound in self if bound.name not in ("version", "sign_with")]
