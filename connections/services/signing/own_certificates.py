"""Sign for each peer with a certificate of ours that it is known to hold.

What a peer holds is what it pinned from the connection file and what it has confirmed since. Until it confirms a new
certificate everything for it is signed with an older one, so a peer that was away during a whole rollover is told
of the new certificate by the key it knows, as long as that certificate has not ended (veeva-core section 11).
"""

from __future__ import annotations

from datetime import datetime

from connections.models import Binding, Connection, SigningCertificate


def held_by_peer(binding: Binding) -> list[SigningCertificate]:
    """Those of our certificates the peer accepts, newest first."""
    told = list(binding.announcements.filter(accepted=True).select_related("certificate__private_key"))
    gone = {announcement.retires_id for announcement in told}
    held = {announcement.certificate_id: announcement.certificate for announcement in told}
    held[binding.own_certificate_id] = binding.own_certificate
    return sorted(
        (certificate for pk, certificate in held.items() if pk not in gone),
        key=lambda certificate: certificate.certificate_id,
        reverse=True,
    )


def for_peer(binding: Binding, *, now: datetime) -> SigningCertificate:
    """The certificate to sign with for this peer now: the connection's, unless the peer cannot know it yet."""
    chosen = binding.connection.signing_certificate
    held = held_by_peer(binding)
    if chosen in held:
        return chosen
    usable = (row for row in held if row.private_key_id is not None and row.is_valid(now))
    return next(usable, chosen)


def awaiting_peer(connection: Connection, *, now: datetime) -> SigningCertificate | None:
    """What signs for the peer in the meantime, while it has not confirmed the connection's certificate; else None."""
    binding = connection.bindings.in_force().select_related("own_certificate").first()
    if binding is None:
        return None
    binding.connection = connection
    used = for_peer(binding, now=now)
    return None if used == connection.signing_certificate else used
