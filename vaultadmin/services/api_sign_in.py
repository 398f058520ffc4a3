"""Signing in to the Vault REST API with a password: the same limits and lock-outs as the sign-in page has.

An address that guessed too often is refused before anything is hashed; then django-axes counts by person and address.
Nothing an unknown name is told differs from what a known one is told (security.md G1, G2).
"""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate
from django.http import HttpRequest

from vaultadmin.accounts import limits, lockout, trail
from vaultadmin.models import User

_LONGEST_NAME, _LONGEST_PASSWORD = 254, 4096
INCORRECT, LOCKED, INACTIVE, LIMITED = (
    "USERNAME_OR_PASSWORD_INCORRECT",
    "USER_LOCKED_OUT",
    "INACTIVE_USER",
    "API_LIMIT_EXCEEDED",
)


class SignInRefused(Exception):
    """Nobody is signed in; `kind` is one of the names above."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


def check(*, username: str, password: str, address: str) -> User:
    """The person with this e-mail address and password."""
    door = _door(address)
    attempt = lockout.take_attempt(door)
    if attempt is None:
        trail.attempt_refused(door)
        raise SignInRefused(LIMITED, "Too many sign-ins failed from this address. Wait a minute, then try again.")
    user = _find(door, username, password)
    limits.give_back(attempt)
    AxesProxyHandler.reset_attempts(username=lockout.typed_name(None, {"email": username}), ip_address=address)
    return user


def _find(door: HttpRequest, username: str, password: str) -> User:
    wrong = SignInRefused(INCORRECT, "The user name or the password is wrong.")
    if not _is_plain(username, _LONGEST_NAME) or not _is_plain(password, _LONGEST_PASSWORD):
        raise wrong
    found = authenticate(door, email=username.strip(), password=password)
    # allauth keeps an inactive person it recognised in the thread, where the next sign-in page would find them.
    inactive = AuthenticationBackend.unstash_authenticated_user()
    if isinstance(found, User):
        return found
    if inactive is not None:
        raise SignInRefused(INACTIVE, "This user is inactive.")
    if getattr(door, "axes_locked_out", False):
        raise SignInRefused(LOCKED, "Too many failed sign-ins. Wait, or ask an administrator to unlock you.")
    raise wrong


def _is_plain(text: str, longest: int) -> bool:
    """Can the database and the hasher take it?"""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return len(text) <= longest and "\x00" not in text


def _door(address: str) -> HttpRequest:
    """A request with the address only: what the lock-out keeps of a request must not hold a password."""
    door = HttpRequest()
    door.method, door.path = "POST", "/api/auth"
    door.META = {"REMOTE_ADDR": address, "PATH_INFO": door.path}
    return door
