"""Which shape a form field takes on the page, and the attributes that tie its help and error to it."""

from __future__ import annotations

from django import forms
from django.forms.boundfield import BoundField

_CLASSES = {"select": "form-select", "check": "form-check-input", "radios": "form-check-input"}


def kind_of(field: BoundField) -> str:
    """One of hidden, check, radios, file, select, text: the branches of components/field.html."""
    widget = field.field.widget
    if field.is_hidden:
        return "hidden"
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "radios"
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    if isinstance(widget, forms.FileInput):
        return "file"
    if isinstance(widget, forms.Select):
        return "select"
    return "text"


def attributes(field: BoundField, kind: str, *, help_text: str) -> dict[str, str | bool]:
    """Class, aria-invalid and aria-describedby for the control; ids follow components/field.html."""
    own = str(field.field.widget.attrs.get("class", ""))
    base = f"{_CLASSES.get(kind, 'form-control')} {own}".strip()
    attrs: dict[str, str | bool] = {"class": f"{base} is-invalid" if field.errors else base}
    described = [f"{field.auto_id}_help"] if help_text else []
    if field.errors:
        attrs["aria-invalid"] = "true"
        described.insert(0, f"{field.auto_id}_error")
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return attrs


def without_echo(field: BoundField, label: str) -> None:
    """Drop a placeholder that only repeats the label: it vanishes on typing and helps nobody."""
    if str(field.field.widget.attrs.get("placeholder", "")).lower() == label.lower():
        field.field.widget.attrs.pop("placeholder", None)
