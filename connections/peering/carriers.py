"""Carriers bring a signed message to the other vault and its signed answer back. One interface, chosen by the peer."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from connections.peering import local
from connections.peering.errors import OtherInstallation
from connections.peering.protocol import Party
from vaultadmin.models import Installation


class Carrier(Protocol):
    """What delivers messages."""

    def deliver(self, raw: bytes, *, to: Party, now: datetime) -> bytes:
        """Hand over the message and return the answer's bytes; CarrierError when there is none."""


def carrier_for(peer: Party) -> Carrier:
    """The carrier that reaches a peer."""
    if peer.installation_id != Installation.current().pk:
        raise OtherInstallation
    return local
