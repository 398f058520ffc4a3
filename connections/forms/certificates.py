"""The form inside *Manage Signing Certificate*."""

from __future__ import annotations

from django import forms

_CHOOSE = "Select the one certificate that is to sign."


class ChooseCertificateForm(forms.Form):
    """One ticked row. The boxes look as the screen is known to look; two ticked ones mean nothing."""

    certificate = forms.Field(
        widget=forms.SelectMultiple,
        error_messages={"required": _CHOOSE},
    )

    def clean_certificate(self) -> str:
        """The five digits of the one that is ticked."""
        ticked = self.cleaned_data["certificate"]
        if len(ticked) != 1:
            raise forms.ValidationError(_CHOOSE)
        return str(ticked[0])[:5]
