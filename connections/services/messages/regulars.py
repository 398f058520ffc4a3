"""Senders this process has believed before, and where their messages go.

What is remembered only ever leads to success: the statement that stores a message compares all of it with the tables,
and when anything differs nothing is stored and the sender is judged anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from connections import signed_json
from connections.services.messages.senders import Sender
from vaultadmin import place
from vaultadmin.models import Vault

_MOST: Final = 4096


@dataclass(frozen=True, slots=True)
class Regular:
    """A sender and its certificate, and what the statement compares."""

    certificate: x509.Certificate
    key: rsa.RSAPublicKey
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Door:
    """A queue of a vault, the name the vault has, and who came there, by vault and certificate id."""

    dns: str
    regulars: dict[tuple[int, str], Regular] = field(default_factory=dict)


_doors: dict[tuple[int, str], Door] = {}


def door(vault_id: int, queue_name: str) -> Door | None:
    """Who came to this queue before; None when nobody did."""
    return _doors.get((vault_id, queue_name))


def remember(sender: Sender, *, certificate_id: str, vault: Vault, queue_name: str) -> None:
    """Keep a sender whose message was stored. When there are too many, start anew rather than grow."""
    recorded = place.recorded()
    if not sender.is_plain or place.differences(recorded):
        return
    key = vault.pk, queue_name
    found = _doors.get(key)
    if found is None or found.dns != vault.dns or len(found.regulars) >= _MOST:
        if len(_doors) >= _MOST:
            _doors.clear()
        found = _doors[key] = Door(vault.dns)
    certificate = signed_json.read_certificate(sender.pem)
    values = {
        "vault": vault.pk,
        "dns": vault.dns,
        "queue_name": queue_name,
        "queue": sender.queue,
        "connection": sender.connection,
        "binding": sender.binding,
        "remote_vault": sender.peer_vault_id,
        "certificate": certificate_id,
        "pem": sender.pem,
        "place": json.dumps(recorded),
    }
    found.regulars[sender.peer_vault_id, certificate_id] = Regular(
        certificate, signed_json.public_key(certificate), values
    )
