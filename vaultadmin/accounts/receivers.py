"""What happens when somebody signs in, out or changes how they do: a trace, and a session id nobody else knows.

Connected by VaultadminConfig.ready.
"""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.core import context
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from axes.signals import user_locked_out
from django.contrib.auth import signals as auth
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from vaultadmin import clock
from vaultadmin.accounts import lockout, sessions, trail
from vaultadmin.models import User


def connect() -> None:
    """Listen. `dispatch_uid` keeps a second call harmless."""
    for signal, receiver in (
        (auth.user_logged_in, _signed_in),
        (auth.user_logged_out, _signed_out),
        (auth.user_login_failed, _sign_in_failed),
        (user_locked_out, _locked_out),
        (account.password_changed, _password_changed),
        (account.password_set, _password_set),
        (account.password_reset, _password_reset),
        (account.authentication_step_completed, _proved),
        (mfa.authenticator_added, _second_factor_changed),
        (mfa.authenticator_removed, _second_factor_changed),
        (mfa.authenticator_reset, _second_factor_changed),
        (mfa.authentication_failed, _second_factor_failed),
    ):
        signal.connect(receiver, dispatch_uid=f"vaultadmin.{receiver.__name__}")
    post_save.connect(_second_factor_stored, sender=Authenticator, dispatch_uid="vaultadmin.second_factor_stored")
    post_delete.connect(_second_factor_gone, sender=Authenticator, dispatch_uid="vaultadmin.second_factor_gone")


def _signed_in(*, request: HttpRequest, user: User, **_more: Any) -> None:
    sessions.begin(request, now=clock.now())
    trail.signed_in(user, methods=sessions.methods(request, user))


def _signed_out(*, request: HttpRequest, user: User | None, **_more: Any) -> None:
    if user is not None:
        trail.signed_out(user, reason=getattr(request, "sign_out_reason", ""))


def _sign_in_failed(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_more: Any) -> None:
    trail.sign_in_failed(request, credentials)


def _locked_out(*, request: HttpRequest, username: str, ip_address: str, **_more: Any) -> None:
    # axes sends this again for every attempt while locked; only the one that locked was checked.
    if lockout.was_checked(request):
        trail.locked_out(username, ip_address)


def _password_changed(*, user: User, **_more: Any) -> None:
    trail.password_changed(user, "user.password_changed")


def _password_set(*, user: User, **_more: Any) -> None:
    trail.password_changed(user, "user.password_set")


def _password_reset(*, user: User, **_more: Any) -> None:
    trail.password_changed(user, "user.password_reset")


def _proved(*, request: HttpRequest, user: User, method: str, **more: Any) -> None:
    if method == "socialaccount":
        sessions.note_provider_time(request, getattr(request, "sign_on_time", None))
    if more.get("reauthenticated"):
        sessions.rotate(request)


def _second_factor_stored(*, instance: Authenticator, created: bool, **_more: Any) -> None:
    # The row's own signal and not allauth's, which comes after the commit: what is not recorded must not happen.
    if created:
        trail.second_factor(instance.user, "user.second_factor_added", instance.get_type_display(), by=_whoever())


def _second_factor_gone(*, instance: Authenticator, **_more: Any) -> None:
    trail.second_factor(instance.user, "user.second_factor_removed", instance.get_type_display(), by=_whoever())


def _second_factor_failed(*, user: User, authenticator: Authenticator, **_more: Any) -> None:
    trail.second_factor(user, "user.second_factor_failed", authenticator.get_type_display())


def _second_factor_changed(*, request: HttpRequest, **_more: Any) -> None:
    sessions.rotate(request)


def _whoever() -> User | None:
    """Who is at the keyboard of the request that is being answered."""
    user = getattr(context.request, "user", None)
    return User.objects.filter(pk=user.pk).first() if user is not None and user.is_authenticated else None
