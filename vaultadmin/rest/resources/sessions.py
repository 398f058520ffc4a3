"""Sign in, keep a session alive, end it (veeva-core 15.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from vaultadmin.models import Membership, User, Vault
from vaultadmin.permissions import Permission, PermissionRefused, can
from vaultadmin.rest import filtering, pace, parameters
from vaultadmin.rest.admission import SignIn
from vaultadmin.rest.call import Call, dns_name, vault_named
from vaultadmin.rest.endpoint import endpoint
from vaultadmin.rest.envelope import ErrorType, Failure
from vaultadmin.services import api_sessions, api_sign_in
from vaultadmin.services.api_sessions import Caller


@dataclass(frozen=True)
class _Asked:
    username: str
    password: str
    dns: str


@endpoint("POST", sign_in=SignIn.OWN)
def auth(call: Call) -> dict[str, Any]:
    """`POST auth`: user name and password, from form, multipart or query, for a session of one vault."""
    asked = _asked(call)
    if asked.dns:
        call.go_to(vault_named(asked.dns))
    filtering.check_client(call)
    filtering.check_may_sign_in(call)
    user = _checked(call, asked)
    member = _placed(call, user)
    issued = api_sessions.create(
        member=member, client_id=call.client.value, connection=call.connection, ip=call.address, now=call.now
    )
    call.caller = Caller(member, issued.session.hint, session=issued.session)
    vaults = Vault.objects.visible_to_user(user).order_by("pk")
    return {
        "sessionId": issued.raw,
        "userId": user.pk,
        "vaultIds": [{"id": vault.pk, "name": vault.name, "url": call.root_of(vault)} for vault in vaults],
        "vaultId": member.vault_id,
    }


@endpoint("POST")
def keep_alive(call: Call) -> dict[str, Any]:
    """`POST keep-alive`: start the idle time anew; the 48 hours run on."""
    api_sessions.keep_alive(_session(call), now=call.now)
    return {}


@endpoint("DELETE")
def session(call: Call) -> dict[str, Any]:
    """`DELETE session`: end it."""
    api_sessions.end(_session(call), by=call.member, now=call.now)
    return {}


def _asked(call: Call) -> _Asked:
    values = parameters.read(call.request, "username", "password", "vaultDNS")
    asked = _Asked(values["username"], values["password"], values["vaultDNS"])
    call.typed_name = asked.username
    if not asked.username:
        raise Failure(ErrorType.PARAMETER_REQUIRED, "Missing required parameter: username.")
    if not asked.password:
        raise Failure(ErrorType.NO_PASSWORD_PROVIDED, "No password was provided for the sign-in.")
    return asked


def _checked(call: Call, asked: _Asked) -> User:
    """The person whose password this is. Limits come before hashing (security.md G1)."""
    key, call.burst = pace.sign_in(asked.username.strip().lower(), dns_name(asked.dns) or call.host, now=call.now)
    if call.burst.is_exceeded:
        raise Failure(ErrorType.API_LIMIT_EXCEEDED, "Too many sign-ins of this user. Wait a minute, then try again.")
    if call.burst.calls * 2 > call.burst.limit:
        call.delay = pace.hold(settings.API_DELAY_MILLISECONDS)
    try:
        return api_sign_in.check(username=asked.username, password=asked.password, address=call.address)
    except api_sign_in.SignInRefused as refused:
        # Guesses are limited by address; a person's own minute must not be used up by strangers (security.md J5).
        pace.give_back(key)
        raise Failure(ErrorType(refused.kind), str(refused)) from refused


def _placed(call: Call, user: User) -> Membership:
    """The membership the session is for, in the addressed vault if the person has access to it."""
    members = Membership.objects.for_request().filter(user=user, is_active=True)
    member = members.filter(vault=call.vault).first() if call.vault else None
    if member is None:
        member = members.filter(vault=api_sessions.last_used_vault_id(user)).first()
        member = member or members.order_by("vault__created_at", "vault").first()
        if member is None:
            raise Failure(ErrorType.INSUFFICIENT_ACCESS, "You have access to no Vault.")
        call.go_to(member.vault)
        filtering.check_client(call)
        filtering.check_may_sign_in(call)
    filtering.check_member(call, member)
    if not can(member, Permission.API_ACCESS):
        raise PermissionRefused(Permission.API_ACCESS)
    if refusal := api_sessions.sign_in_refusal(user):
        raise Failure(ErrorType.INSUFFICIENT_ACCESS, refusal)
    return member


def _session(call: Call) -> Any:
    found = call.caller.session if call.caller else None
    if found is None:
        raise Failure(ErrorType.OPERATION_NOT_ALLOWED, "An API access token has no session.")
    return found
