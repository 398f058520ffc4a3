"""Put a believed message into its queue, once by connection and message id: one statement, prepared by the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connections.constants import BindingState, ConnectionState, IncomingState, QueueType
from connections.services.messages import tallies
from vaultadmin import prepared

# What was found out about the sender before still holds, and it is the only one who could be meant.
_AS_REMEMBERED: Final = f"""
SELECT FROM connections_binding b
  JOIN connections_connection c ON c.id = b.connection_id AND c.id = %(connection)s AND c.vault_id = %(vault)s
                               AND c.state = '{ConnectionState.ACTIVE.value}'
  JOIN connections_queueconnection k ON k.connection_id = c.id AND k.queue_id = %(queue)s AND k.is_active
  JOIN connections_queue q ON q.id = k.queue_id AND q.vault_id = %(vault)s AND q.name = %(queue_name)s
                          AND q.type = '{QueueType.INBOUND.value}' AND q.is_active
  JOIN vaultadmin_vault v ON v.id = %(vault)s AND v.dns = %(dns)s
  JOIN vaultadmin_installation i ON i.singleton AND i.place = %(place)s::jsonb
  LEFT JOIN connections_peercertificate p ON p.binding_id = b.id AND p.certificate_id = %(certificate)s
 WHERE b.id = %(binding)s AND b.state = '{BindingState.IN_FORCE.value}' AND b.peer_vault_id = %(remote_vault)s
   AND CASE WHEN p.id IS NULL THEN b.peer_certificate_id = %(certificate)s AND b.peer_certificate_pem = %(pem)s
            ELSE p.retired_at IS NULL AND p.pem = %(pem)s END
   AND NOT EXISTS (SELECT FROM connections_binding o JOIN connections_connection oc ON oc.id = o.connection_id
                    WHERE oc.vault_id = %(vault)s AND o.peer_vault_id = %(remote_vault)s
                      AND o.state = '{BindingState.IN_FORCE.value}' AND o.id <> b.id)
   AND (SELECT COALESCE(sum(t.waiting), 0) FROM connections_queuetally t WHERE t.queue_id = q.id) < %(capacity)s
"""  # nosec B608 - joined from constants of this code; values are parameters
# Unique by connection and id: two at once, or the same one again, leave one row.
_STORE: Final = """
WITH place AS ({place}),
stored AS (
    INSERT INTO connections_incomingmessage (vault_id, queue_id, connection_id, message_id, body, keys,
        remote_vault_id, remote_queue_name, certificate_id, is_receipt, received_at, state, due_at, attempts, crashes,
        last_error)
    SELECT %(vault)s, %(queue)s, %(connection)s, %(message)s::uuid, %(body)s::text, %(keys)s::varchar[],
           %(remote_vault)s, %(remote_queue)s::varchar, %(certificate)s::varchar, %(is_receipt)s::boolean,
           %(now)s::timestamptz, '{waiting}', %(now)s::timestamptz, 0, 0, ''
      FROM place
        ON CONFLICT (connection_id, message_id) DO NOTHING
    RETURNING id, queue_id, connection_id, received_at
),
counted AS (
    INSERT INTO connections_queuetally AS t (queue_id, slot, waiting)
    SELECT queue_id, pg_backend_pid() %% {slots}, 1 FROM stored
        ON CONFLICT (queue_id, slot) DO UPDATE SET waiting = t.waiting + excluded.waiting
),
noted AS (
    INSERT INTO connections_arrival (message, queue, connection, at)
    SELECT id, queue_id, connection_id, received_at FROM stored
)
SELECT count(*) FROM stored
"""
_CONSTANTS: Final[dict[str, Any]] = {"slots": tallies.SLOTS, "waiting": IncomingState.WAITING.value}
_SURE: Final = _STORE.format(place="SELECT", **_CONSTANTS)
_REMEMBERED: Final = _STORE.format(place=_AS_REMEMBERED, **_CONSTANTS)


def store(values: Mapping[str, Any]) -> bool:
    """Store a message whose sender and queue were judged just now; False when it was stored before."""
    return _is_new(_SURE, values)


def store_as_remembered(values: Mapping[str, Any]) -> bool:
    """Store a new message if what is remembered of its sender and queue holds and there is room; else do nothing."""
    return _is_new(_REMEMBERED, values)


def _is_new(statement: str, values: Mapping[str, Any]) -> bool:
    row = prepared.fetch_one(statement, values)
    return row is not None and row[0] == 1
