"""What several forms share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _


def offer(form: forms.BaseForm, name: str, rows: QuerySet[Any]) -> None:
    """What a choice offers is what this member sees; a posted id outside of it is refused."""
    field = form.fields[name]
    if not isinstance(field, forms.ModelChoiceField):
        raise TypeError(f"{name} is not a choice of rows.")
    field.queryset = rows
    field.empty_label = _("Choose …")
