"""What we tell allauth: nobody signs up, guessing is limited before hashing, trails are kept."""

from __future__ import annotations

from smtplib import SMTPException
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from django.http import HttpRequest

from vaultadmin import crypto, secrets
from vaultadmin.access import credentials_are_fresh
from vaultadmin.accounts import limits, lockout, single_sign_on, trail
from vaultadmin.models import User

logger = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """People are invited; they never sign up."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The e-mail address or the password is wrong.",  # nosec B105
        "too_many_login_attempts": "Too many attempts. Wait a minute, then try again.",
        "incorrect_password": "This is not your password.",  # nosec B105
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: an administrator invites people."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse an address that tried too often before anything is hashed; counted in the database."""
        self._attempt = lockout.take_attempt(request)
        if self._attempt is None:
            lockout.refuse(request)
            trail.attempt_refused(request)
            raise self.validation_error("too_many_login_attempts")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Check a password; a right one does not count against its address."""
        user: User | None = super().authenticate(request, **credentials)
        if user is not None and self._attempt is not None:
            limits.give_back(self._attempt)
        return user

    def reauthenticate(self, user: User, password: str) -> bool:
        """Is this the person's password? Under the same limits as signing in."""
        found = self.authenticate(context.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def is_reauthentication_required(self, *, app: str, **_more: Any) -> bool:
        """allauth's own pages ask by our rule: proven within the last five minutes, by signing in or since."""
        return not credentials_are_fresh(context.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, str]]:
        """Password, second factor, or the identity provider for people who have neither."""
        methods: list[dict[str, str]] = super().get_reauthentication_methods(user)
        return methods or single_sign_on.reauthentication_methods(context.request, user)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send; a mail server that is away is logged and not shown, else it would tell known people from unknown."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException) as error:
            logger.error("mail_not_sent", template=template_prefix, error=type(error).__name__)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Single sign-on is for people who are already here."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Never: an identity provider vouches for people, it does not create them."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Find the person the provider vouches for, or send the visitor back with a sentence."""
        single_sign_on.admit(request, sociallogin)

    def get_requests_session(self) -> Any:
        """allauth's session without proxies, netrc or redirects: it carries the client secret."""
        session = super().get_requests_session()
        session.trust_env, session.max_redirects = False, 0
        return session


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is untyped
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


class UserSessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]  # allauth is untyped
    """Ending sessions leaves a trace."""

    def end_sessions(self, sessions: Any) -> None:
        """End them and record it."""
        ended = list(sessions)
        super().end_sessions(ended)
        if ended:
            trail.sessions_ended(ended[0].user, by=ended[0].user, count=len(ended))
