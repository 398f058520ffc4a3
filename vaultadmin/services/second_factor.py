"""Whether a member still owes the second factor their security profile demands."""

from __future__ import annotations

from allauth.mfa.models import Authenticator

from vaultadmin.models import Membership, User

_REAL = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def is_set_up(user: User) -> bool:
    """Has this person an authenticator app or a passkey? Recovery codes alone are no factor."""
    return bool(Authenticator.objects.filter(user=user.pk, type__in=_REAL).exists())


def is_owed_anywhere(user: User) -> bool:
    """Does any vault this person works in demand a second factor that is not set up?"""
    demanded = Membership.objects.filter(user=user.pk, is_active=True, profile__requires_second_factor=True)
    return demanded.exists() and not is_set_up(user)


def is_owed(member: Membership) -> bool:
    """Does the profile demand a second factor that is not set up? Such a member may do nothing yet."""
    return member.profile.requires_second_factor and not is_set_up(member.user)
