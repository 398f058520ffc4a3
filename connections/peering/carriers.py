"""Carriers bring a signed message to the other vault and its signed answer back. One interface, chosen by the peer."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from connections.peering import local, remote
from connections.peering.messages import Party
from connections.spark.signing import Signer
from vaultadmin.models import Installation


class Carrier(Protocol):
    """What delivers messages."""

    def deliver(self, raw: bytes, *, to: Party, url: str, signer: Signer, now: datetime) -> bytes:
        """Hand over the message and return the answer's bytes; CarrierError when there is none.

        `url` is the peer's peering address, `signer` the certificate the message was signed with.
        """


def carrier_for(peer: Party) -> Carrier:
    """A call for a vault of this installation, the network for any other. The vault's number decides nothing."""
    return local if peer.installation_id == Installation.current().pk else remote
