"""Tokens `${Family.Name}` in URLs, headers and message attributes (veeva-core section 4.2).

Pure: it knows which families there are and how they are written; whoever resolves a text brings the values. Secrets
and sessions are asked for at that moment and kept nowhere.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import quote_plus

MAX_TOKEN_LENGTH = 100
SYSTEM_NAMES = ("id", "name", "dns")
# `${Core.vaultid}` is another way to write `${Vault.id}`.
ALIASES: Mapping[str, str] = MappingProxyType({f"vault{name}": name for name in SYSTEM_NAMES})
RESERVED_NAMES = frozenset(SYSTEM_NAMES) | frozenset(ALIASES)
PATTERN = re.compile(r"\$\{([A-Za-z][A-Za-z0-9]*)\.([A-Za-z][A-Za-z0-9_]*)\}")

CustomValue: TypeAlias = str | bool | int | float | Decimal


class TokenRefused(ValueError):
    """A token cannot be used or has no value; the message is one sentence that names it."""


class Family(StrEnum):
    """What stands before the dot, in lower case."""

    VAULT = "vault"
    CUSTOM = "custom"
    AUTH = "auth"
    SESSION = "session"


_FAMILIES = {family.value: family for family in Family} | {"core": Family.VAULT}
# The prefixes under which a Vault token may be written.
VAULT_PREFIXES = ("vault", "core", "custom")


class SessionName(StrEnum):
    """Whose session a token of the Session family stands for."""

    CURRENT_USER = "sessionid"
    CONNECTION_USER = "connectionusersessionid"


SessionSupplier: TypeAlias = Callable[[SessionName], str]


@dataclass(frozen=True, slots=True)
class Token:
    """One token as written. `family` is None for a family nobody knows; `name` is in lower case."""

    text: str
    family: Family | None
    name: str


@dataclass(frozen=True, slots=True)
class VaultValue:
    """The value of a Vault token, and whether the token is active."""

    value: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class AuthValues:
    """The halves of one authorization. Never printed: secrets are left out of `repr`."""

    username: str = ""
    password: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)

    @property
    def authorization_value(self) -> str:
        """The value of an `Authorization` header: Basic of RFC 7617, or of RFC 6749 section 2.3.1 for a client."""
        if self.client_id:
            return _basic(quote_plus(self.client_id), quote_plus(self.client_secret))
        return _basic(self.username, self.password) if self.username else ""


@dataclass(frozen=True)
class Sources:
    """Where values come from. What is not given has no value, and the refusal says why."""

    vault: Mapping[str, VaultValue] = field(default_factory=dict)
    """System and own tokens of the vault by lower-case name."""
    custom: Mapping[str, CustomValue] = field(default_factory=dict)
    """Values the calling code supplies; they come before a Vault token of the same name in `${Custom.…}`."""
    auth: AuthValues | None = None
    session: SessionSupplier | None = None
    """Called at the moment of sending, so that a message sent again carries a live session."""
    between_vaults: bool = False
    """Between vaults `${Auth.…}` is refused: there is nothing there it could authenticate to."""

    def value_of(self, token: Token) -> str:
        """The value as text, or TokenRefused. A Vault token is active and filled, or it has no value."""
        match token.family:
            case Family.VAULT:
                return self._vault_value(token)
            case Family.CUSTOM:
                supplied = {name.lower(): value for name, value in self.custom.items()}
                return _as_text(token, supplied[token.name]) if token.name in supplied else self._vault_value(token)
            case Family.AUTH:
                return self._auth_value(token)
            case Family.SESSION:
                return self._session_value(token)
        raise TokenRefused(f"{token.text} names no family of tokens: use ${{Vault.…}} or ${{Custom.…}}.")

    def _vault_value(self, token: Token) -> str:
        held = self.vault.get(ALIASES.get(token.name, token.name))
        if held is None and token.family is Family.CUSTOM:
            raise TokenRefused(
                f"{token.text} is no token of this Vault; it has a value only where the calling code supplies one."
            )
        if held is None:
            raise TokenRefused(f"{token.text} is no token of this Vault.")
        if not held.active:
            raise TokenRefused(f"{token.text} is inactive.")
        if not held.value:
            raise TokenRefused(f"{token.text} has no value in this Vault.")
        return held.value

    def _auth_value(self, token: Token) -> str:
        if self.between_vaults:
            raise TokenRefused(f"{token.text} cannot be used between Vaults.")
        if self.auth is None:
            raise TokenRefused(f"{token.text} has no value: the connection has no authorization.")
        values = {
            "username": self.auth.username,
            "password": self.auth.password,
            "clientid": self.auth.client_id,
            "clientsecret": self.auth.client_secret,
            "authorizationvalue": self.auth.authorization_value,
        }
        if not (value := values.get(token.name, "")):
            raise TokenRefused(f"{token.text} is not part of this connection's authorization.")
        return value

    def _session_value(self, token: Token) -> str:
        if token.name not in frozenset(SessionName):
            raise TokenRefused(f"{token.text} is no session token.")
        if self.session is None:
            raise TokenRefused(f"{token.text} has no value here: no session is open.")
        return self.session(SessionName(token.name))


def find(text: str) -> list[Token]:
    """The tokens of a text in order. TokenRefused for one that is too long, or a `${` that begins none."""
    found = [_token(match) for match in PATTERN.finditer(text)]
    if "${" in PATTERN.sub("", text):
        raise TokenRefused("A token is written ${Family.Name}, for example ${Vault.id}.")
    for token in found:
        if len(token.text) > MAX_TOKEN_LENGTH:
            raise TokenRefused(f"A token can have at most {MAX_TOKEN_LENGTH} characters.")
    return found


def fill(text: str, value_of: Callable[[Token], str]) -> str:
    """The text with every token replaced; TokenRefused names the first that cannot be."""
    find(text)
    return PATTERN.sub(lambda match: value_of(_token(match)), text)


def _token(match: re.Match[str]) -> Token:
    return Token(match[0], _FAMILIES.get(match[1].lower()), match[2].lower())


def _as_text(token: Token, value: CustomValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    number = Decimal(str(value))
    if not number.is_finite():
        raise TokenRefused(f"{token.text} was given a number that cannot be written.")
    return format(number, "f")


def _basic(identity: str, secret: str) -> str:
    return "Basic " + b64encode(f"{identity}:{secret}".encode()).decode("ascii")
