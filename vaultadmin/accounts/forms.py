"""allauth's forms where a guess must be limited in the database (settings ACCOUNT_FORMS, MFA_FORMS)."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.mfa.adapter import get_adapter as get_second_factor_adapter
from allauth.mfa.base.forms import AuthenticateForm as AllauthAuthenticateForm
from allauth.mfa.base.forms import BaseAuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as AllauthReauthenticateForm
from django.core.exceptions import ValidationError

from vaultadmin import clock
from vaultadmin.accounts import limits

_GUESSES, _WITHIN = 10, timedelta(minutes=15)
# Longer than any time step a code is accepted in.
_REPLAY = timedelta(minutes=5)


class ChangePasswordForm(AllauthChangePasswordForm):
    """A stolen session must not be able to try the old password at will."""

    def clean_oldpassword(self) -> str:
        """The old password, under a limit per person."""
        attempt = limits.take(f"password:{self.user.pk}", limit=_GUESSES, within=_WITHIN, now=clock.now())
        if attempt is None:
            raise get_adapter().validation_error("too_many_login_attempts")
        password: str = super().clean_oldpassword()
        limits.give_back(attempt)
        return password


class _LimitedCode(BaseAuthenticateForm):
    """Ten guesses in a quarter of an hour per person, and no code twice."""

    def clean_code(self) -> str:
        """The code, checked by allauth between two limits of ours."""
        now = clock.now()
        attempt = limits.take(f"code:{self.user.pk}", limit=_GUESSES, within=_WITHIN, now=now)
        if attempt is None:
            raise ValidationError("Too many wrong codes. Wait a quarter of an hour, then try again.")
        code: str = super().clean_code()
        # allauth remembers used codes in a cache, which is one per process here.
        digest = hashlib.sha256(code.encode()).hexdigest()[:32]
        if limits.take(f"used:{self.user.pk}:{digest}", limit=1, within=_REPLAY, now=now) is None:
            raise get_second_factor_adapter().validation_error("incorrect_code")
        limits.give_back(attempt)
        return code


class AuthenticateForm(_LimitedCode, AllauthAuthenticateForm):
    """The second step of signing in."""


class ReauthenticateForm(_LimitedCode, AllauthReauthenticateForm):
    """Proving it again."""
