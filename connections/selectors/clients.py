"""Which connection a Client ID speaks for; what the Vault REST API asks this app."""

from __future__ import annotations

from connections.constants import ConnectionState, ConnectionType
from connections.models import Connection, ConnectionClient
from vaultadmin.models import Membership
from vaultadmin.registries import ClientConnection


class Clients:
    """Fills `vaultadmin.registries.clients`."""

    def by_client_id(self, *, vault_id: int, client_id: str) -> ClientConnection | None:
        """The Active connection of which this is an active Client ID."""
        rows = ConnectionClient.objects.active().filter(vault=vault_id, client_id=client_id)
        found = rows.filter(connection__state=ConnectionState.ACTIVE).select_related("connection").first()
        return as_client_connection(found.connection) if found else None

    def by_id(self, *, vault_id: int, connection_id: int) -> ClientConnection | None:
        """A connection of the vault, whatever its state."""
        found = Connection.objects.filter(vault=vault_id, pk=connection_id).first()
        return as_client_connection(found) if found else None

    def approved(self, *, vault_id: int) -> list[tuple[str, str]]:
        """Every Client ID that is let in while filtering is on, with the name of its connection."""
        rows = ConnectionClient.objects.active().filter(vault=vault_id, connection__state=ConnectionState.ACTIVE)
        return list(rows.order_by("client_id").values_list("client_id", "connection__name"))


def as_client_connection(connection: Connection) -> ClientConnection:
    """A connection as the Vault REST API knows it."""
    return ClientConnection(
        id=connection.pk,
        api_name=connection.api_name,
        external=connection.type == ConnectionType.EXTERNAL,
        active=connection.state == ConnectionState.ACTIVE,
        authorized_member_id=connection.authorized_user_id,
    )


def find(member: Membership, connection: Connection, client_id: int) -> ConnectionClient | None:
    """One client of a connection, by its number."""
    if client_id >= 2**63:
        return None
    rows = ConnectionClient.objects.visible_to(member)
    found: ConnectionClient | None = rows.filter(connection=connection, pk=client_id).first()
    return found
