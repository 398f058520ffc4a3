"""*Delete*: a record goes for good, and an established peer becomes Disconnected (veeva-core sections 2.3 and 2.4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import ProtectedError

from connections.constants import ConnectionState
from connections.models import Binding, Connection, OutgoingPeerMessage
from connections.peering.messages import Decision, MessageType
from connections.services.creating import AUDITED
from connections.services.handshake import delivering, exchange, routes
from connections.services.locking import lock_record
from connections.services.messages import alerts
from connections.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure
from vaultadmin.together import Asking, answer, together
from vaultadmin.worklist import services as worklist

# What keeps a connection from being deleted: each says why in one sentence, or nothing. Filled in AppConfig.ready.
blockers: list[Callable[[Connection], Asking[str]]] = []


def delete_refusal(connection: Connection) -> Asking[str]:
    """Why this record cannot be deleted, in one sentence; empty when it can."""
    if connection.system_managed:
        return "Standard, system-managed connections cannot be deleted. This one can be connected to another Vault."
    reasons = yield from together([blocker(connection) for blocker in blockers])
    return next(filter(None, reasons), "")


def delete(*, connection: Connection, by: Membership, now: datetime, reason: str = "") -> None:
    """Delete the record with everything on it but its audit trail, and tell the peer until it answers."""
    ensure(by, Permission.CONNECTION_DELETE)
    try:
        with transaction.atomic():
            locked = lock_record(connection, by)
            if refusal := answer(delete_refusal(locked)):
                raise Refused(refusal)
            farewells = [_say_goodbye(binding, by, now, reason) for binding in _known_to_the_peer(locked)]
            _write_off(locked, by, now, reason)
            for message in farewells:
                transaction.on_commit(partial(delivering.deliver_one, message.pk, now=now), robust=True)
    except ProtectedError as error:
        users = ", ".join(sorted({str(row._meta.verbose_name) for row in error.protected_objects}))
        raise Refused(f"“{connection}” is still used ({users}); change that first.") from error


def _known_to_the_peer(connection: Connection) -> list[Binding]:
    """What the peer may still rely on: the request that runs, and what was agreed last.

    The latter also when it was reset here, of which the peer was not told; an end it knows of is told in vain.
    """
    open_one = connection.bindings.open().first()
    agreed = connection.bindings.filter(established_at__isnull=False).order_by("-established_at").first()
    if connection.state == ConnectionState.DISCONNECTED:
        agreed = None
    known = [binding for binding in (agreed, open_one) if binding is not None]
    for binding in known:
        binding.connection = connection
    return known


def _say_goodbye(binding: Binding, by: Membership, now: datetime, reason: str) -> OutgoingPeerMessage:
    return exchange.post(binding, MessageType.DELETE, Decision(binding.exchange, by.user.name, now, reason), now=now)


def _write_off(connection: Connection, by: Membership, now: datetime, reason: str) -> None:
    vault = connection.vault
    for binding in connection.bindings.open():
        worklist.cancel_tasks(subject=binding, vault=vault, by=by, reason="The connection was deleted.", now=now)
    routes.keep(connection, now=now)
    alerts.let_go(by=by, connection=connection)
    changes: audit.Changes = {field: (old, None) for field, (_, old) in audit.created(connection, AUDITED).items()}
    audit.record(vault=vault, by=by, event="connection.deleted", subject=connection, changes=changes, reason=reason)
    connection.delete()
