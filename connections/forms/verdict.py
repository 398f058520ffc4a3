"""The form of the dialog *Complete task*."""

from __future__ import annotations

from typing import Any

from django import forms

from connections.constants import Verdict
from vaultadmin.signing.forms import SigningForm


class CompleteForm(SigningForm):
    """The verdict, the signature, and what they are about: the plan's hash and, sealed, the plan that was shown."""

    version = forms.CharField(widget=forms.HiddenInput, max_length=64)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    place = forms.IntegerField(widget=forms.HiddenInput, required=False)
    verdict = forms.ChoiceField(
        label="Verdict",
        choices=Verdict.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a verdict.", "invalid_choice": "Choose a verdict."},
    )
    comment = forms.CharField(
        label="Comment",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept with the verdict and shown in both Vaults. Needed when you reject.",
    )
    compared = forms.BooleanField(label="I compared the six words with the other side", required=False)
    # Which button was pressed: empty for *Complete*, else a way to sign on a page of its own.
    sign_with = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    field_order = ("version", "seen", "place", "verdict", "comment", "compared", "password", "code")

    def __init__(self, *args: Any, words_required: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.words_required = words_required
        self.fields["compared"].help_text = (
            "Needed to approve: the other Vault belongs to another installation."
            if words_required
            else "Both Vaults belong to this installation, so this is up to you."
        )

    def clean(self) -> dict[str, Any]:
        """A rejection needs words; approving a vault of another installation needs the six to be compared."""
        data = super().clean() or {}
        verdict = data.get("verdict")
        if verdict == Verdict.REJECT and not data.get("comment", "").strip():
            self.add_error("comment", "Say why you reject, so that the requester knows what to change.")
        if verdict == Verdict.APPROVE and self.words_required and not data.get("compared"):
            self.add_error("compared", "Compare the six words with the other side first, or reject the request.")
        return data
