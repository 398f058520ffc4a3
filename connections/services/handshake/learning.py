"""Take over what a peer says about its certificates (security.md D4)."""

from __future__ import annotations

import re
from datetime import datetime

from cryptography import x509

from connections import signed_json
from connections.models import Binding, PeerCertificate
from connections.peering.messages import CertificateNotice, Refusal
from connections.services.handshake import exchange
from connections.services.handshake.pinning import contradicts, is_valid
from connections.services.signing import certificates
from vaultadmin import audit
from vaultadmin.models import Installation

# Two are normal during a rollover. A peer that announces without end fills no table.
MOST_PINNED = 5
_ID = re.compile(r"[0-9]{5}")


def learn(binding: Binding, notice: CertificateNotice, *, now: datetime) -> Refusal:
    """Pin what the peer announced and retire what it no longer signs with; a code when it is not believed.

    The caller holds the connection's lock and has verified the message with a pinned certificate. Heard twice, it has
    one effect.
    """
    try:
        certificate = signed_json.read_certificate(notice.certificate_pem)
    except signed_json.DocumentRefused:
        return Refusal.UNTRUSTED
    if not _may_announce(binding, notice, certificate, now):
        return Refusal.UNTRUSTED
    _pin(binding, notice, certificate, now)
    if notice.retired_id:
        _retire(binding, notice.retired_id, now)
    return Refusal.NONE


def _may_announce(binding: Binding, notice: CertificateNotice, certificate: x509.Certificate, now: datetime) -> bool:
    if not _ID.fullmatch(notice.certificate_id) or notice.retired_id == notice.certificate_id:
        return False
    if not is_valid(certificate, now):
        return False
    ours = binding.peer_installation_id == Installation.current().pk
    if ours and not certificates.is_ours(notice.certificate_id, notice.certificate_pem):
        return False
    if contradicts(binding.peer_installation_id, notice.certificate_id, notice.certificate_pem):
        return False
    if notice.certificate_id == binding.peer_certificate_id:
        return notice.certificate_pem == binding.peer_certificate_pem and not _known(binding, notice.certificate_id)
    rows = list(binding.peer_certificates.all())
    for row in rows:
        # An id means one certificate for good, a certificate has one id, and a retired one does not come back.
        if notice.certificate_id == row.certificate_id:
            return row.pem == notice.certificate_pem and row.retired_at is None
    if notice.certificate_pem in (binding.peer_certificate_pem, *(row.pem for row in rows)):
        return False
    return sum(row.retired_at is None for row in rows) < MOST_PINNED


def _known(binding: Binding, certificate_id: str) -> PeerCertificate | None:
    return binding.peer_certificates.filter(certificate_id=certificate_id).first()


def _pin(binding: Binding, notice: CertificateNotice, certificate: x509.Certificate, now: datetime) -> None:
    known = _known(binding, notice.certificate_id)
    if known is not None or notice.certificate_id == binding.peer_certificate_id:
        return
    row = _row(binding, notice.certificate_id, certificate, now)
    row.in_use_from = notice.in_use_from
    row.save(force_insert=True)
    fields = ["certificate_id", "fingerprint", "not_before", "not_after", "in_use_from"]
    _audit(binding, "connection.peer_certificate_added", audit.created(row, fields))


def _retire(binding: Binding, certificate_id: str, now: datetime) -> None:
    """The one the file pinned gets a row only now: what a row says counts."""
    row = _known(binding, certificate_id)
    if row is None and certificate_id == binding.peer_certificate_id:
        row = _row(binding, certificate_id, signed_json.read_certificate(binding.peer_certificate_pem), now)
        row.in_use_from = row.added_at = binding.requested_at
    if row is None or row.retired_at is not None:
        return
    row.retired_at = now
    row.save()
    changes: audit.Changes = {"Certificate ID": (certificate_id, None), "Fingerprint": (row.fingerprint, None)}
    _audit(binding, "connection.peer_certificate_retired", changes)


def _row(binding: Binding, certificate_id: str, certificate: x509.Certificate, now: datetime) -> PeerCertificate:
    return PeerCertificate(
        binding=binding,
        certificate_id=certificate_id,
        pem=signed_json.certificate_pem(certificate),
        fingerprint=signed_json.fingerprint(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        in_use_from=now,
        added_at=now,
    )


def _audit(binding: Binding, event: str, changes: audit.Changes) -> None:
    connection = binding.connection
    by = exchange.peer_actor(binding)
    audit.record(vault=connection.vault, by=by, event=event, subject=connection, changes=changes)
