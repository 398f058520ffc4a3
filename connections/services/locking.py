"""Lock a record for somebody's act on it."""

from __future__ import annotations

from connections.models import Connection
from connections.services.refusals import Refused
from vaultadmin.models import Membership


def lock_record(connection: Connection, by: Membership) -> Connection:
    """The record of this member's vault as it is now, locked; Refused when somebody has deleted it meanwhile."""
    if connection.vault_id != by.vault_id:
        raise Connection.DoesNotExist
    rows = Connection.objects.select_for_update().filter(pk=connection.pk, vault=by.vault_id)
    locked: Connection | None = rows.first()
    if locked is None:
        raise Refused(f"Somebody deleted “{connection}” meanwhile.")
    return locked
