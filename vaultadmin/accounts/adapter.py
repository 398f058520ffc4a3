"""What we tell allauth: nobody signs up, links go where this installation lives, trails are kept."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest

from vaultadmin import crypto, secrets


class AccountAdapter(DefaultAccountAdapter):
    """People are invited; they never sign up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: an administrator invites people."""
        return False


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Single sign-on is for people who are already here."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Never: an identity provider vouches for people, it does not create them."""
        return False


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factors' shared secrets are sealed like every other secret."""

    CONTEXT = "mfa_authenticator.data"

    def encrypt(self, text: str) -> str:
        """Seal a TOTP secret or recovery seed."""
        return secrets.keyring().seal(text, context=self.CONTEXT)

    def decrypt(self, encrypted_text: str) -> str:
        """Open what `encrypt` sealed."""
        try:
            return secrets.keyring().open(encrypted_text, context=self.CONTEXT)
        except (crypto.KeyMissing, crypto.Tampered) as error:
            raise secrets.SecretUnavailable("This second factor is sealed; its key is missing.") from error

    def get_public_key_credential_rp_name(self) -> str:
        """The name a passkey is kept under."""
        return "vaultadmin"
