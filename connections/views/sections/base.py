"""What a section of the record page is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connections.models import Connection
from connections.selectors.record import Record
from vaultadmin.access import MemberRequest
from vaultadmin.together import Asking


def always(_connection: Connection) -> bool:
    """A section every connection has."""
    return True


def between_vaults(connection: Connection) -> bool:
    """A section only Vault to Vault connections have."""
    return connection.is_vault_to_vault


def external(connection: Connection) -> bool:
    """A section only External connections have."""
    return connection.is_external


@dataclass(frozen=True)
class Section:
    """One card of the record page: its anchor, its heading, its template and what the template reads.

    All sections of a page are asked together, so `context` says what it asks instead of asking it.
    """

    id: str
    label: str
    template: str
    context: Callable[[MemberRequest, Record], Asking[dict[str, Any]]]
    shown: Callable[[Connection], bool] = always
