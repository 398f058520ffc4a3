"""Forms of sandboxes."""

from __future__ import annotations

from typing import Any

from django import forms

_PEOPLE_HELP = "Everybody of this Vault gets into the sandbox with the same security profile; else only you do."


class SandboxForm(forms.Form):
    """A new sandbox."""

    name = forms.CharField(label="Name", max_length=128)
    dns = forms.CharField(
        label="DNS name",
        max_length=253,
        required=False,
        help_text="Leave it empty for a name beside this Vault's, made from the sandbox's name.",
    )
    with_people = forms.BooleanField(label="Copy people", required=False, initial=True, help_text=_PEOPLE_HELP)


class RefreshForm(forms.Form):
    """A refresh, confirmed by typing the sandbox's name."""

    confirmation = forms.CharField(label="Name of the sandbox", max_length=128)
    with_people = forms.BooleanField(label="Copy people", required=False, help_text=_PEOPLE_HELP)

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirmation"].help_text = f"Type {name} to confirm."
        self.fields["confirmation"].widget.attrs["autocomplete"] = "off"


class RetryForm(forms.Form):
    """Try a failed build again: nothing to fill in."""
