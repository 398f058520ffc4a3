"""Who may have sent a message to a queue, and where it would go: asked of every message, so in one statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection as database

from connections.constants import BindingState, ConnectionState, QueueType
from connections.models import Binding
from connections.services.handshake.pinning import in_use, pinned_certificates
from vaultadmin.models import Vault

# A message does not name its connection, and two vaults may be connected more than once: the one the queue takes from
# comes first.
_KNOWN = """
SELECT b.id, b.peer_vault_id, b.peer_installation_id, b.peer_certificate_id, b.peer_certificate_pem,
       ARRAY(SELECT ARRAY[p.certificate_id, p.pem, CASE WHEN p.retired_at IS NULL THEN '' ELSE 'retired' END]
               FROM connections_peercertificate p WHERE p.binding_id = b.id ORDER BY p.id),
       c.id, c.state = %(active)s, k.queue_id, COALESCE(q.is_active, FALSE),
       COALESCE((SELECT sum(t.waiting) FROM connections_queuetally t WHERE t.queue_id = k.queue_id), 0)
  FROM connections_binding b
  JOIN connections_connection c ON c.id = b.connection_id
  LEFT JOIN (connections_queueconnection k
             JOIN connections_queue q ON q.id = k.queue_id AND q.vault_id = %(vault)s AND q.name = %(queue)s
                                     AND q.type = %(inbound)s)
         ON k.connection_id = c.id AND k.is_active
 WHERE c.vault_id = %(vault)s AND b.peer_vault_id = %(peer)s AND b.state = %(in_force)s
 ORDER BY k.id IS NULL, c.state <> %(active)s, b.id
"""


@dataclass(frozen=True, slots=True)
class Sender:
    """A peer that may have signed a message, the certificate it would have signed with, and the queue it goes to."""

    binding: int
    peer_vault_id: int
    peer_installation_id: UUID
    pem: str
    # Nobody else of this vault id is connected, and the certificate is one of those pinned on the binding.
    is_plain: bool
    connection: int
    is_active: bool
    # None when no inbound queue of the name takes messages of this connection.
    queue: int | None
    queue_is_active: bool
    waiting: int


def known(*, vault: Vault, peer_vault_id: int, certificate_id: str, queue_name: str, now: datetime) -> Iterator[Sender]:
    """Peers with this vault id that may sign with a certificate of this id: two installations may have equal ones."""
    values: dict[str, Any] = {
        "vault": vault.pk,
        "peer": peer_vault_id,
        "queue": queue_name,
        "inbound": QueueType.INBOUND.value,
        "active": ConnectionState.ACTIVE.value,
        "in_force": BindingState.IN_FORCE.value,
    }
    with database.cursor() as cursor:
        cursor.execute(_KNOWN, values)
        rows = cursor.fetchall()
    for binding, peer, installation, first, first_pem, announced, *place in rows:
        told = {key: (pem, bool(retired)) for key, pem, retired in announced}
        valid = in_use(told, first=(first, first_pem), now=now)
        # Seldom: nothing of the peer is valid any more, and then it matters whether it lives in this installation.
        pems = valid or pinned_certificates(Binding.objects.get(pk=binding), now=now)
        if (pem := pems.get(certificate_id)) is not None:
            yield Sender(binding, peer, installation, pem, bool(valid) and len(rows) == 1, *place)
