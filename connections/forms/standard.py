"""The form of *Add standard connection*."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from connections.services.standard import Offer


class StandardForm(forms.Form):
    """Which one to add. `number` is what it will be, so that the same click twice adds one."""

    key = forms.ChoiceField(label="Standard connection")

    def __init__(self, *args: Any, offers: Sequence[Offer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        key: Any = self.fields["key"]
        key.choices = [(f"{offer.entry.key}:{offer.instance}", offer.label) for offer in offers]
        key.help_text = "It gets its own integrations and integration points, numbered like itself."

    def chosen(self) -> tuple[str, int]:
        """Key and number of what was chosen."""
        key, _, number = self.cleaned_data["key"].rpartition(":")
        return key, int(number)
