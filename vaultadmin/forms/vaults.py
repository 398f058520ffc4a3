"""The form of a new vault."""

from __future__ import annotations

from django import forms

from vaultadmin.models import Application


class VaultForm(forms.Form):
    """What a vault needs from the start."""

    name = forms.CharField(label="Name", max_length=128)
    application = forms.ChoiceField(label="Application", choices=Application.choices)
    dns = forms.CharField(
        label="DNS name", max_length=253, help_text="Where machines call it, such as quality.example.com."
    )
    id = forms.IntegerField(
        label="Vault ID",
        min_value=1,
        max_value=2**53,
        required=False,
        help_text="The number other vaults know it by. Leave it empty for the next free one.",
    )
