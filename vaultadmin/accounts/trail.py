"""The audit trail of signing in: the installation's chain, written by the signals of Django, allauth and axes.

A sign-in that cannot be recorded does not happen: the receivers run inside the request and their errors end it.
What was typed as a password never comes near this module.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from vaultadmin import audit, clock
from vaultadmin.accounts import limits, lockout
from vaultadmin.audit import Actor, Entry, System
from vaultadmin.models import User

# Nobody in particular: failed attempts are written alike for people who exist and people who do not (security.md G2).
DOOR = System("Sign-in")
_PERSON = User._meta.label_lower


def attempt_refused(request: HttpRequest) -> None:
    """An address tried too often. One row a minute and address: a flood must not become a flood of rows."""
    place = limits.address_key(lockout.address(request))
    if limits.take(f"refusal:{place}", limit=1, within=timedelta(minutes=1), now=clock.now()):
        _write(by=DOOR, event="sign_in.refused", label=lockout.typed_name(request), reason=f"Too many from {place}.")


def sign_in_failed(request: HttpRequest | None, credentials: dict[str, Any]) -> None:
    """A wrong password, or nobody of that name. While locked nothing is checked, so nothing failed."""
    if request is None or lockout.was_checked(request):
        _write(by=DOOR, event="sign_in.failed", label=lockout.typed_name(request, credentials))


def locked_out(name: str, address: str) -> None:
    """Ten failures from one address: this person cannot sign in from there for a while."""
    _write(by=DOOR, event="sign_in.locked", label=name, reason=f"Too many failed attempts from {address}.")


def signed_in(user: User, *, methods: list[str]) -> None:
    """A session began."""
    _about(user, "user.signed_in", {"method": (None, ", ".join(methods))})


def signed_out(user: User, *, reason: str = "") -> None:
    """A session ended, by the person or by its age."""
    _about(user, "user.signed_out", reason=reason)


def sessions_ended(user: User, *, by: Actor, count: int, reason: str = "") -> None:
    """Somebody ended sessions of a person."""
    _about(user, "user.sessions_ended", {"sessions": (count, 0)}, by=by, reason=reason)


def password_changed(user: User, event: str) -> None:
    """`user.password_changed`, `user.password_set` or `user.password_reset`."""
    _about(user, event, {"password": (None, audit.SECRET_CHANGED)})


def second_factor(user: User, event: str, kind: str, *, by: User | None = None) -> None:
    """`user.second_factor_added`, `_removed` or `_failed`."""
    pair = (kind, None) if event.endswith("_removed") else (None, kind)
    _about(user, event, {"second factor": pair}, by=by)


def single_sign_on_linked(user: User, *, provider: str) -> None:
    """The provider vouched for a person for the first time."""
    _about(user, "user.single_sign_on_linked", {"provider": (None, provider)})


def single_sign_on_refused(*, provider: str, uid: str) -> None:
    """The provider vouched for somebody we do not know."""
    _write(by=DOOR, event="sign_in.single_sign_on_refused", label=f"{provider}: {uid}")


def _about(
    user: User, event: str, changes: audit.Changes | None = None, *, by: Actor | None = None, reason: str = ""
) -> None:
    with transaction.atomic():
        audit.record(vault=None, by=by or user, event=event, subject=user, changes=changes, reason=reason)


def _write(*, by: Actor, event: str, label: str, reason: str = "") -> None:
    with transaction.atomic():
        audit.record_many(
            vault=None, by=by, entries=[Entry(event, subject_type=_PERSON, subject_label=label, reason=reason)]
        )
