"""The form of a new API access token."""

from __future__ import annotations

from typing import Any

from django import forms

from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, expand
from vaultadmin.services.tokens import DEFAULT_DAYS, LONGEST_DAYS


class TokenForm(forms.Form):
    """Name, what it may do, and how long."""

    name = forms.CharField(label="Name", max_length=128, help_text="Which program will use it, such as RTSM push.")
    scopes = forms.MultipleChoiceField(
        label="May use",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Only permissions you hold yourself. “API: Access API” is always included.",
    )
    days = forms.IntegerField(
        label="Days until it ends", min_value=1, max_value=LONGEST_DAYS, initial=DEFAULT_DAYS, help_text="At most 365."
    )

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = expand(member.profile.permissions) - {Permission.API_ACCESS}
        self.fields["scopes"].choices = [  # type: ignore[attr-defined]
            (permission.value, permission.label) for permission in Permission if permission in held
        ]
