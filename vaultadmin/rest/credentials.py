"""Who calls: the Authorization header with a session or an API access token."""

from __future__ import annotations

from vaultadmin.rest.call import Call
from vaultadmin.services import api_sessions, tokens
from vaultadmin.services.api_sessions import Caller

_LONGEST = 1024


def has_any(call: Call) -> bool:
    """Did the caller show anything at all?"""
    return bool(_shown(call))


def identify(call: Call) -> Caller | None:
    """The caller, for the vault of the call; None for every kind of wrong credentials alike."""
    shown = _shown(call)
    if shown.startswith(tokens.PREFIX):
        return _by_token(call, shown)
    caller = api_sessions.authenticate(shown, now=call.now)
    if caller is None or (call.vault is not None and caller.member.vault_id != call.vault.pk):
        return None
    return caller


def is_token_of_another_vault(call: Call) -> bool:
    """Did the caller show an API access token that is good, in whatever vault?"""
    return tokens.is_living(_shown(call), now=call.now)


def session_fits(call: Call) -> bool:
    """Is the session of this call used with the Client ID it was made with?"""
    session = call.caller.session if call.caller else None
    return session is None or api_sessions.fits(session, client_id=call.client.value, connection=call.connection)


def _by_token(call: Call, raw: str) -> Caller | None:
    # Unlike a session, a token does not tell its vault, so the address must.
    if call.vault is None:
        return None
    actor = tokens.authenticate(raw, vault_id=call.vault.pk, now=call.now)
    return Caller(actor.member, actor.hint, token=actor) if actor else None


def _shown(call: Call) -> str:
    """The header's value without `Bearer` and without the quotes some clients put around it by mistake."""
    value = str(call.request.META.get("HTTP_AUTHORIZATION", "")).strip()[:_LONGEST].strip('"')
    scheme, _, rest = value.partition(" ")
    return rest.strip().strip('"') if scheme.lower() == "bearer" else value
