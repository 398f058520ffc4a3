"""Who may call at all, in the order of veeva-core 10.1: the Client ID first, then who uses it, then what they may."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from django.conf import settings

from vaultadmin.accounts import limits
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.rest import credentials, filtering, pace
from vaultadmin.rest.call import Call
from vaultadmin.rest.envelope import ErrorType, Failure


class SignIn(Enum):
    """Whether a resource asks who calls."""

    REQUIRED = "a session or token"
    OPTIONAL = "none, but a wrong one is refused"
    OWN = "the resource signs people in itself"
    NONE = "nobody is asked"


@dataclass(frozen=True)
class Rules:
    """What a resource asks of its callers."""

    methods: tuple[str, ...]
    sign_in: SignIn
    filtered: bool
    needs: Permission | None


def admit(call: Call, rules: Rules) -> None:
    """Fill in who calls, keep the pace, and raise Failure or PermissionRefused for whoever may not."""
    if rules.sign_in is not SignIn.NONE:
        call.caller = credentials.identify(call)
    if call.vault is None and call.caller is not None:
        call.go_to(call.caller.member.vault)
    _keep_pace(call)
    if rules.filtered:
        filtering.check_client(call)
    if call.caller is None:
        if rules.sign_in is SignIn.REQUIRED or (rules.sign_in is SignIn.OPTIONAL and credentials.has_any(call)):
            raise Failure(ErrorType.INVALID_SESSION_ID, "Invalid or expired session ID.")
        return
    if not credentials.session_fits(call):
        raise Failure(ErrorType.INVALID_SESSION_ID, "This session was created with another Client ID.")
    if rules.filtered:
        filtering.check_member(call, call.caller.member)
    for permission in filter(None, (Permission.API_ACCESS, rules.needs)):
        if not call.caller.can(permission):
            raise PermissionRefused(permission)


def _keep_pace(call: Call) -> None:
    """Count the call and hold it when its vault, or for strangers their address, is over the limit."""
    # Strangers must not be able to use up the window of a vault (security.md J5).
    known = call.caller is not None and call.vault is not None
    key = str(call.vault.pk) if known and call.vault else f"from:{limits.address_key(call.address)}"
    call.burst = pace.general(key, now=call.now)
    if call.burst.is_exceeded:
        call.delay = pace.hold(settings.API_DELAY_MILLISECONDS)
