"""Forms of the users pages and of the invitation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password

from vaultadmin.models import Membership, SecurityProfile, User
from vaultadmin.services import authority


def _profiles(member: Membership) -> Any:
    """Only what this member may give: nothing is offered that would be refused."""
    return SecurityProfile.objects.filter(pk__in=[profile.pk for profile in authority.grantable(member)])


class InviteForm(forms.Form):
    """Who is invited, and as what."""

    email = forms.EmailField(label="E-mail address", max_length=254, help_text="What they sign in with.")
    name = forms.CharField(
        label="Printed name", max_length=128, help_text="Shown on approvals and in the audit trail, such as Ana Silva."
    )
    profile = forms.ModelChoiceField(SecurityProfile.objects.none(), label="Security profile", empty_label="Choose …")

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["profile"].queryset = _profiles(member)  # type: ignore[attr-defined]


class ProfileChoiceForm(forms.Form):
    """Another security profile for a member."""

    profile = forms.ModelChoiceField(SecurityProfile.objects.none(), label="Security profile", empty_label=None)

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["profile"].queryset = _profiles(member)  # type: ignore[attr-defined]


class RenameForm(forms.Form):
    """A person's printed name."""

    name = forms.CharField(label="Printed name", max_length=128)


class ReasonForm(forms.Form):
    """A dialog that asks why."""

    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the audit trail.",
    )


class PasswordForm(forms.Form):
    """The password somebody chooses by a link."""

    password = forms.CharField(
        label="New password",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=" ".join(str(text) for text in password_validators_help_texts()),
    )
    again = forms.CharField(
        label="New password again",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """By the validators of the installation."""
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        """Twice the same."""
        data = super().clean() or {}
        if "password" in data and data.get("again") and data["password"] != data["again"]:
            self.add_error("again", "Type the same password twice.")
        return data
