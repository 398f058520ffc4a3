"""How a message reaches its peer, and whose signature its answer bears."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connections.models import Binding, Connection, OutgoingPeerMessage, SigningCertificate
from connections.peering.messages import Party
from connections.services.handshake.pinning import pinned_certificates
from connections.services.signing import certificates, own_certificates
from vaultadmin.models import Vault


@dataclass(frozen=True)
class Route:
    """From which vault to which peer, at which address, and the certificates of both ends."""

    vault: Vault
    peer: Party
    url: str
    pinned: dict[str, str]
    certificate: SigningCertificate


def columns(binding: Binding, *, now: datetime) -> dict[str, Any]:
    """The route of a binding as an outgoing row keeps it."""
    return {
        "peer_installation_id": binding.peer_installation_id,
        "peer_vault_id": binding.peer_vault_id,
        "peer_url": binding.peer_url,
        "peer_certificates": pinned_certificates(binding, now=now),
        "signing_certificate": own_certificates.for_peer(binding, now=now),
    }


def of(row: OutgoingPeerMessage, *, now: datetime) -> Route:
    """Where a row goes now: as its binding says, or as it was when the record was deleted."""
    binding = row.binding
    if binding is not None:
        certificate = own_certificates.for_peer(binding, now=now)
        return Route(row.vault, binding.peer, binding.peer_url, pinned_certificates(binding, now=now), certificate)
    peer = Party(row.peer_installation_id, row.peer_vault_id)
    kept = row.signing_certificate
    certificate = kept if kept.private_key_id is not None else certificates.current()
    return Route(row.vault, peer, row.peer_url, row.peer_certificates, certificate)


def keep(connection: Connection, *, now: datetime) -> None:
    """Write the present routes into the messages still to be sent, before their record is deleted."""
    unsent = OutgoingPeerMessage.objects.filter(binding__connection=connection, settled_at__isnull=True)
    for binding in connection.bindings.filter(pk__in=unsent.values("binding")):
        binding.connection = connection
        unsent.filter(binding=binding).update(**columns(binding, now=now))
