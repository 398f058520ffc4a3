"""What dialogs ask that belong to no noun."""

from __future__ import annotations

from django import forms


class ConfirmForm(forms.Form):
    """A dialog that only asks."""
