"""Which certificates may speak for a peer: those pinned on the binding, and nothing a message merely brings along.

The connection file pins the first one. A peer that changes its certificate announces the next in a message signed
with one that is pinned already, and later says that the previous one is retired: see `services.learning`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from cryptography import x509

from connections import conf, signed_json
from connections.constants import BindingState
from connections.models import Binding, OutgoingPeerMessage, PeerCertificate
from connections.peering.messages import Connect, Message
from connections.services.signing import certificates
from vaultadmin.models import Installation, Vault


def pinned_certificates(binding: Binding, *, now: datetime) -> dict[str, str]:
    """The peer's certificates by their id, as PEM: those it may sign with at this moment.

    Retired ones and ones outside their own validity are left out. Messages and answers of the peer are verified with
    these only. When none is left, a peer of another installation must be connected anew; one of this installation
    signs with what stands in our own table, so that table is asked.
    """
    announced = {row.certificate_id: (row.pem, row.retired_at is not None) for row in binding.peer_certificates.all()}
    valid = in_use(announced, first=(binding.peer_certificate_id, binding.peer_certificate_pem), now=now)
    return valid or _ours(binding)


def in_use(announced: Mapping[str, tuple[str, bool]], *, first: tuple[str, str], now: datetime) -> dict[str, str]:
    """PEM by id of what is neither retired nor outside its validity.

    `announced` are PEM and whether it is retired, by id; `first` are id and PEM the connection file pinned.
    """
    pinned = {key: pem for key, (pem, is_retired) in announced.items() if not is_retired}
    if first[0] not in announced:
        pinned[first[0]] = first[1]
    return {key: pem for key, pem in pinned.items() if is_valid(signed_json.read_certificate(pem), now)}


def is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    """A certificate may begin as many minutes ahead as the two clocks may differ."""
    return certificate.not_valid_before_utc - conf.peer_clock_tolerance() <= now < certificate.not_valid_after_utc


def exchange_with(message: Message, vault: Vault) -> Binding | None:
    """The exchange a message belongs to, with exactly this peer: two installations may have equal vault ids."""
    rows = Binding.objects.filter(
        exchange=message.body.exchange,
        connection__vault=vault,
        peer_installation_id=message.sender.installation_id,
        peer_vault_id=message.sender.vault_id,
    )
    found: Binding | None = rows.exclude(state=BindingState.REFUSED).first()
    return found


def last_words(message: Message, vault: Vault) -> OutgoingPeerMessage | None:
    """What this vault last told this peer of an exchange: all that is left of one whose record was deleted."""
    rows = OutgoingPeerMessage.objects.filter(
        vault=vault,
        exchange=message.body.exchange,
        peer_installation_id=message.sender.installation_id,
        peer_vault_id=message.sender.vault_id,
    )
    found: OutgoingPeerMessage | None = rows.select_related("signing_certificate").order_by("pk").last()
    return found


def may_introduce(message: Message, body: Connect) -> bool:
    """May a vault that connects for the first time speak with the certificate it shows?

    A vault of this installation signs with one of the installation's own. Another installation has its own table, of
    which we know what is in force: an id we know must show the certificate we know.
    """
    if message.sender.installation_id == Installation.current().pk:
        return certificates.is_ours(message.certificate_id, body.certificate_pem)
    return not contradicts(message.sender.installation_id, message.certificate_id, body.certificate_pem)


def contradicts(installation_id: UUID, certificate_id: str, pem: str) -> bool:
    """Does another connection in force know this certificate id of this installation with another certificate?"""
    known = Binding.objects.in_force().filter(peer_installation_id=installation_id, peer_certificate_id=certificate_id)
    announced = PeerCertificate.objects.filter(
        binding__in=Binding.objects.in_force().filter(peer_installation_id=installation_id),
        certificate_id=certificate_id,
    )
    other: bool = known.exclude(peer_certificate_pem=pem).exists() or announced.exclude(pem=pem).exists()
    return other


def _ours(binding: Binding) -> dict[str, str]:
    if binding.peer_installation_id != Installation.current().pk:
        return {}
    ruling = certificates.current()
    return {ruling.certificate_id: ruling.pem}
