"""Which certificates may speak for a peer: those pinned on the binding, and nothing a message brings along."""

from __future__ import annotations

from connections.models import Binding


def pinned_certificates(binding: Binding) -> dict[str, str]:
    """The peer's certificates by their id, as PEM. Messages and answers of the peer are verified with these only."""
    return {binding.peer_certificate_id: binding.peer_certificate_pem}
