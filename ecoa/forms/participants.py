"""One participant: entering it, giving it another ID, moving it to another site."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ecoa.models import Participant, Site
from ecoa.selectors import participants as participant_rows


class EnterForm(forms.Form):
    """One participant, entered by hand."""

    participant_id = forms.CharField(
        label=_("Participant ID"), max_length=255, help_text=_("As it is used at the site, such as 1005-003.")
    )
    internal_id = forms.CharField(
        label=_("Internal ID"),
        max_length=255,
        required=False,
        help_text=_("The ID by which eCOA will know the participant for good. Leave it empty to have one made."),
    )
    send = forms.BooleanField(label=_("Send to eCOA right after"), required=False, initial=True)


class ChangeIdForm(forms.Form):
    """Another participant ID."""

    participant_id = forms.CharField(label=_("New participant ID"), max_length=255)
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_("Kept in the audit trail."))


class TransferForm(forms.Form):
    """Another site of the same study. `seen` is the site whose consequences were on the screen."""

    to_site = forms.ModelChoiceField(queryset=Site.objects.none(), label=_("New site"), empty_label=_("Choose …"))
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_("Kept in the history of both sites."))
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, participant: Participant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to_site"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = participant_rows.other_sites(participant)

    def has_seen(self) -> bool:
        """Were the consequences for the chosen site on the screen?"""
        return bool(self.cleaned_data["seen"] == str(self.cleaned_data["to_site"].pk))
