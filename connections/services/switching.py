"""*Inactivate* and *Activate*, for every type (veeva-core section 2.3). The peer is not told of either."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from connections.constants import ConnectionState
from connections.models import Connection
from connections.services.handshake import exchange
from connections.services.locking import lock_record
from connections.services.refusals import Refused
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure


def inactivate_refusal(connection: Connection) -> str:
    """Why this record cannot be inactivated, in one sentence; empty when it can."""
    if connection.state != ConnectionState.ACTIVE:
        return f"This connection is {connection.get_state_display()}; only an Active one can be inactivated."
    if connection.is_being_agreed_on():
        return "A request to establish this connection anew is running; complete or withdraw it first."
    return ""


def activate_refusal(connection: Connection) -> str:
    """Why this record cannot be activated, in one sentence; empty when it can."""
    if connection.state != ConnectionState.INACTIVE:
        return f"This connection is {connection.get_state_display()}; only an Inactive one can be activated."
    if connection.url_removed:
        return "Its URL was taken away when this sandbox was made: edit Details and enter the URL, which activates it."
    return ""


def inactivate(*, connection: Connection, by: Membership, now: datetime, reason: str = "") -> Connection:
    """Stop using a connection. What was agreed with a peer stays agreed."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    with transaction.atomic():
        locked = lock_record(connection, by)
        if refusal := inactivate_refusal(locked):
            raise Refused(refusal)
        exchange.move(locked, locked.inactivate, by, now, event="connection.inactivated", reason=reason)
    return locked


def activate(*, connection: Connection, by: Membership, now: datetime, reason: str = "") -> Connection:
    """Use a connection again.

    One between Vaults that is established with nobody, as in a sandbox made from an Inactive one, becomes Pending:
    Active without a peer does not exist.
    """
    ensure(by, Permission.MANAGE_CONNECTIONS)
    with transaction.atomic():
        locked = lock_record(connection, by)
        if refusal := activate_refusal(locked):
            raise Refused(refusal)
        alone = locked.is_vault_to_vault and not locked.bindings.in_force().exists()
        transition = locked.reopen if alone else locked.activate
        exchange.move(locked, transition, by, now, event="connection.activated", reason=reason)
    return locked
