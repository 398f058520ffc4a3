"""Where an External connection leads and with which credentials; the one way other apps get at them."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connections import rules
from connections.constants import AuthorizationType, ConnectionState
from connections.models import Connection
from vaultadmin import secrets
from vaultadmin.models import Vault
from vaultadmin.secrets import SecretUnavailable


class DestinationUnavailable(Exception):
    """The connection cannot be used now; one sentence that names it and says what to do."""


@dataclass(frozen=True)
class Destination:
    """A resolved address with the credentials for it. Never printed: secrets are left out of `repr`."""

    url: str
    host: str
    username: str = ""
    password: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)


def destination(connection: Connection) -> Destination:
    """The URL with its tokens resolved, and the revealed credentials of its authorization, if it has one."""
    if not connection.is_external:
        raise DestinationUnavailable(f"“{connection}” is not an External connection, so it has no URL.")
    if connection.state != ConnectionState.ACTIVE:
        raise DestinationUnavailable(
            f"The connection “{connection}” is {connection.get_state_display()}; make it Active first."
        )
    if not connection.url:
        raise DestinationUnavailable(f"The connection “{connection}” has no URL; enter one on its page.")
    url = _resolved(connection)
    return Destination(url=url, host=urlsplit(url).hostname or "", **_credentials(connection))


def vault_values(vault: Vault) -> dict[str, str]:
    """The system values of a vault that tokens in a URL can name."""
    return {"vault.id": str(vault.pk), "vault.name": vault.name, "vault.dns": vault.dns}


def _resolved(connection: Connection) -> str:
    try:
        return rules.resolve_url(connection.url, vault_values(connection.vault))
    except rules.RuleBroken as error:
        raise DestinationUnavailable(f"The URL of “{connection}” cannot be used: {error}") from error


def _credentials(connection: Connection) -> dict[str, str]:
    authorization = connection.authorization
    if authorization is None:
        return {}
    try:
        secret = secrets.reveal(authorization.secret)
    except SecretUnavailable as error:
        raise DestinationUnavailable(f"The authorization “{authorization}” cannot be used: {error}") from error
    if authorization.type == AuthorizationType.BASIC:
        return {"username": authorization.username, "password": secret}
    return {"client_id": authorization.client_id, "client_secret": secret}
