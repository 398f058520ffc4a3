"""Where an External connection leads and with which credentials; the one way other apps get at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connections import rules
from connections.constants import AuthorizationType, ConnectionState
from connections.models import Connection, ConnectionAuthorization
from connections.selectors import tokens as token_rows
from connections.tokens import AuthValues, CustomValue, Family, Sources, TokenRefused
from vaultadmin import secrets
from vaultadmin.models import Vault
from vaultadmin.secrets import SecretUnavailable
from vaultadmin.together import Asking, answer


class DestinationUnavailable(Exception):
    """The connection cannot be used now; one sentence that names it and says what to do."""


class AddressUnusable(DestinationUnavailable):
    """The URL comes to no address that can be called: waiting does not help, somebody has to change it."""


@dataclass(frozen=True)
class Destination:
    """A resolved address with the credentials for it. Never printed: secrets are left out of `repr`."""

    url: str
    host: str
    auth: AuthValues | None = field(default=None, repr=False)

    @property
    def username(self) -> str:
        """User Name of a Basic Auth authorization."""
        return self.auth.username if self.auth else ""

    @property
    def password(self) -> str:
        """Password of a Basic Auth authorization."""
        return self.auth.password if self.auth else ""

    @property
    def client_id(self) -> str:
        """Client ID of a Client Credential authorization."""
        return self.auth.client_id if self.auth else ""

    @property
    def client_secret(self) -> str:
        """Client Secret of a Client Credential authorization."""
        return self.auth.client_secret if self.auth else ""


@dataclass(frozen=True)
class Preview:
    """What a URL with tokens comes to now: the address, or one sentence for each token that stands in the way."""

    url: str
    problems: list[str]


def destination(connection: Connection, *, custom: Mapping[str, CustomValue] | None = None) -> Destination:
    """The URL with its tokens resolved, and the revealed credentials of its authorization, if it has one.

    `custom` are the values the calling code gives to `${Custom.…}`. Call it for every sending, so that tokens are
    resolved and the result is judged at that moment.
    """
    if refusal := unusable(connection):
        raise DestinationUnavailable(refusal)
    url = _resolved(connection, custom or {})
    return Destination(url, urlsplit(url).hostname or "", _credentials(connection.authorization))


def unusable(connection: Connection) -> str:
    """Why nothing can be sent through this connection whatever its tokens are; empty when it can."""
    if not connection.is_external:
        return f"“{connection}” is not an External connection, so it has no URL."
    if connection.state != ConnectionState.ACTIVE:
        return f"The connection “{connection}” is {connection.get_state_display()}; make it Active first."
    if not connection.url:
        return f"The connection “{connection}” has no URL; enter one on its page."
    authorization = connection.authorization
    return unusable_authorization(authorization) if authorization else ""


def unusable_authorization(authorization: ConnectionAuthorization) -> str:
    """Why nothing can be sent with this authorization; empty when it can."""
    if not authorization.is_active:
        return f"The authorization “{authorization}” is Inactive; make it Active first."
    if authorization.secret_id is None:
        return f"The authorization “{authorization}” has no {authorization.secret_label} here; enter it again."
    return ""


def preview(url: str, vault: Vault) -> Preview:
    """What a URL would resolve to at this moment, for people."""
    return answer(previewing(url, vault))


def previewing(url: str, vault: Vault) -> Asking[Preview]:
    """The same, asked together with other questions of a page."""
    try:
        found = rules.tokens_in(url)
        sources = Sources(vault=(yield from token_rows.asked(vault)) if found else {})
        problems = []
        for token in dict.fromkeys(found):
            try:
                sources.value_of(token)
            except TokenRefused as refusal:
                problems.append(str(refusal))
        return Preview("", problems) if problems else Preview(rules.resolve_url(url, sources), [])
    except rules.RuleBroken as error:
        return Preview("", [str(error)])


def _resolved(connection: Connection, custom: Mapping[str, CustomValue]) -> str:
    try:
        if connection.authorization_id is not None:
            _check_host_is_the_vaults(connection.url, custom)
        sources = Sources(vault=token_rows.values(connection.vault), custom=custom)
        return rules.resolve_url(connection.url, sources)
    except rules.RuleBroken as error:
        raise AddressUnusable(f"The URL of “{connection}” cannot be used: {error}") from error


def _check_host_is_the_vaults(url: str, custom: Mapping[str, CustomValue]) -> None:
    """Data that passes through must not choose where a stored secret is sent (security.md K5)."""
    supplied = {name.lower() for name in custom}
    for token in rules.host_tokens(url):
        if token.family is Family.CUSTOM and token.name in supplied:
            raise rules.RuleBroken(
                f"{token.text} stands in the host of a connection with an authorization and cannot be given a value "
                "by the calling code."
            )


def _credentials(authorization: ConnectionAuthorization | None) -> AuthValues | None:
    if authorization is None or authorization.secret is None:
        return None
    try:
        secret = secrets.reveal(authorization.secret)
    except SecretUnavailable as error:
        raise DestinationUnavailable(f"The authorization “{authorization}” cannot be used: {error}") from error
    if authorization.type == AuthorizationType.BASIC:
        return AuthValues(username=authorization.username, password=secret)
    return AuthValues(client_id=authorization.client_id, client_secret=secret)
