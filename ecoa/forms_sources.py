"""Forms around where participants come from. They check shape; rules that need rows live in services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ecoa import selectors_sources
from ecoa.models import Participant, Site
from ecoa.services.choosing import Choice


class ColumnsForm(forms.Form):
    """Which column is which, by position."""

    site = forms.TypedChoiceField(label=_("Site"), coerce=int)
    participant_id = forms.TypedChoiceField(label=_("Participant ID"), coerce=int)
    internal_id = forms.TypedChoiceField(label=_("Internal ID"), coerce=int)
    name = forms.CharField(
        label=_("Save as"),
        max_length=128,
        required=False,
        help_text=_("Files of this study with the same first row are read like this from then on."),
    )

    def __init__(self, *args: Any, heading: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(number, f"{_letters(number)}: {text or '—'}") for number, text in enumerate(heading)]
        for name in ("site", "participant_id", "internal_id"):
            field = self.fields[name]
            if isinstance(field, forms.TypedChoiceField):
                field.choices = [("", _("Choose …")), *choices]

    @property
    def choice(self) -> Choice:
        """The chosen columns of a valid form."""
        values = self.cleaned_data
        return Choice(values["site"], values["participant_id"], values["internal_id"])


class SavedColumnsForm(ColumnsForm):
    """Saved columns, with the name they must have."""

    field_order = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        self.fields["name"].label = _("Name")


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
            field.queryset = selectors_sources.other_sites(participant)

    def has_seen(self) -> bool:
        """Were the consequences for the chosen site on the screen?"""
        return bool(self.cleaned_data["seen"] == str(self.cleaned_data["to_site"].pk))


def _letters(number: int) -> str:
    """A column's name as spreadsheets show it: 0 → A, 27 → AB."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
