"""Uploading a participant file, and saying what its columns are."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ecoa.forms.fields import offer
from ecoa.imports.reading import MAX_BYTES
from ecoa.models import StudyMapping
from ecoa.selectors import mappings as mapping_rows
from ecoa.services.choosing import Choice
from vaultadmin.models import Membership


class UploadForm(forms.Form):
    """A participant file for one study."""

    mapping = forms.ModelChoiceField(queryset=StudyMapping.objects.none(), label=_("Study"))
    file = forms.FileField(
        label=_("Participant file"),
        help_text=_(
            "CSV or XLSX with headings in the first row. If they tell too little, you say which column is which."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "mapping", mapping_rows.mappings(member))

    def clean_file(self) -> Any:
        """Size only; what the file is, its content says."""
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than 256 MB. Split it and upload the parts."))
        return file


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


def _letters(number: int) -> str:
    """A column's name as spreadsheets show it: 0 → A, 27 → AB."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
