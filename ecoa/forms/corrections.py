"""Another participant ID: asking for it, and deciding about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ecoa.services import correcting, correction_task
from vaultadmin.signing.forms import SigningForm


class CorrectionForm(forms.Form):
    """Another participant ID, and why."""

    new_value = forms.CharField(
        label=_("New participant ID"),
        max_length=255,
        help_text=_("Exactly as it should be in eCOA."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("What is wrong with the ID, and how you know. No names and no health data, please."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class VerdictForm(SigningForm):
    """Approve or reject a correction, signed. `version` is the hash of what is on the screen."""

    version = forms.CharField(widget=forms.HiddenInput, max_length=64)
    verdict = forms.ChoiceField(
        label=_("Verdict"),
        choices=correction_task.VERDICTS,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a verdict."), "invalid_choice": _("Choose a verdict.")},
    )
    comment = forms.CharField(
        label=_("Comment"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The site reads it. Needed when you reject."),
    )
    # Which button was pressed: empty for *Complete*, else a way to sign on a page of its own.
    sign_with = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    field_order = ("version", "verdict", "comment", "password", "code")

    def clean(self) -> dict[str, Any]:
        """A rejection needs words."""
        data = super().clean() or {}
        if data.get("verdict") == correcting.REJECT and not data.get("comment", "").strip():
            self.add_error("comment", _("Say why you reject, so that the site knows what to do."))
        return data
