"""How two records part: one is reset, one is deleted (veeva-core section 2.3).

A reset is told to nobody: the other record stays Active, its deliveries are refused here, and a new connection file
binds the two anew. A deletion is told, and what the other record had with the deleted one ends there too.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from connections.constants import BindingState, ConnectionState
from connections.models import Binding, Connection
from connections.services import stats
from connections.services.handshake import exchange, files
from connections.services.locking import lock_record
from connections.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

RESET = "The connection was reset here. The other Vault was not told."
DELETED_THERE = "The other Vault deleted its connection record."


def reset_refusal(connection: Connection) -> str:
    """Why this record cannot be reset, in one sentence; empty when it can."""
    if not connection.is_vault_to_vault:
        return "Only Vault to Vault connections can be reset: the others have no Vault they are established with."
    if connection.state != ConnectionState.ACTIVE:
        return f"This connection is {connection.get_state_display()}; only an Active one can be reset."
    if connection.is_being_agreed_on():
        return "A request to establish this connection anew is running; complete or withdraw it first."
    return ""


def reset(*, connection: Connection, by: Membership, now: datetime, reason: str = "") -> Connection:
    """*Reset Connection*: drop what was agreed and go back to Pending; the peer is not told.

    Remote details stay as notes. The Remote Vault ID is emptied, so that nobody skips the approvals by an ID that
    establishing filled in: whoever knows the target enters it before the next download.
    """
    ensure(by, Permission.MANAGE_CONNECTIONS)
    with transaction.atomic():
        locked = lock_record(connection, by)
        if refusal := reset_refusal(locked):
            raise Refused(refusal)
        for binding in locked.bindings.in_force():
            exchange.end(binding, now, ended_by=by.user.name, reason=RESET)
        files.revoke_open(locked, by=by, now=now, reason="The connection was reset.")
        emptied = {"remote_vault_id": None, "remote_connection_id": ""}
        exchange.move(locked, locked.reset, by, now, event="connection.reset", reason=reason, **emptied)
    return locked


def deleted_there(binding: Binding, *, who: str, at: datetime, comment: str = "", now: datetime) -> Binding:
    """The peer deleted its record: everything this record has with that one ends; returns the binding as it is then.

    What was agreed with another record goes on. An established record becomes Disconnected, also an Inactive one; a
    running request ends as withdrawn. The audit trail and the timeline stay, the Connection Stats go.
    """
    connection, by = binding.connection, exchange.peer_actor(binding)
    reason = f"{DELETED_THERE} {comment}".strip()
    with_it = connection.bindings.filter(
        peer_installation_id=binding.peer_installation_id,
        peer_vault_id=binding.peer_vault_id,
        peer_connection_id=binding.peer_connection_id,
    )
    established = with_it.in_force().exists()
    for request in with_it.open():
        request.connection = connection
        exchange.close(request, BindingState.WITHDRAWN, by=by, who=who, reason=reason, now=now)
    for old in with_it.in_force():
        exchange.end(old, now, ended_by=who, reason=reason)
    if established:
        _disconnect(connection, by, now, reason)
    now_is: Binding = connection.bindings.select_related("local_decided_by__user").get(pk=binding.pk)
    now_is.connection = connection
    return now_is


def _disconnect(connection: Connection, by: audit.Actor, now: datetime, reason: str) -> None:
    if connection.state in (ConnectionState.ACTIVE, ConnectionState.INACTIVE):
        gone = {"remote_connection_id": ""}
        exchange.move(
            connection, connection.disconnect, by, now, event="connection.disconnected", reason=reason, **gone
        )
    if days := stats.clear(connection):
        changes: audit.Changes = {"Connection Stats (days)": (days, None)}
        audit.record(
            vault=connection.vault,
            by=by,
            event="connection.stats_deleted",
            subject=connection,
            changes=changes,
            reason=reason,
        )
