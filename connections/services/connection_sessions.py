"""Sessions of the Vault REST API made for a connection: the value of `${Session.ConnectionUserSessionId}`."""

from __future__ import annotations

from datetime import datetime

from connections.constants import ConnectionState
from connections.models import Connection
from connections.selectors.clients import as_client_connection
from vaultadmin import audit
from vaultadmin.models import ApiSessionOrigin, Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.services import api_sessions, second_factor
from vaultadmin.services.api_sessions import IssuedSession

# The product makes these itself, in the course of sending a message.
_MAKER = audit.System("Connection session")


def mint_for_connection(connection: Connection, *, now: datetime) -> IssuedSession | None:
    """A session in which the far end acts as the Authorized Connection User; None when there is nobody to act as.

    It lives as long as the connection is Active and the user stays the same, at most 48 hours. The value is shown
    here and never again: resolve it at sending and keep it nowhere.
    """
    if connection.state != ConnectionState.ACTIVE or connection.authorized_user_id is None:
        return None
    member = Membership.objects.for_request().get(pk=connection.authorized_user_id)
    if not can(member, Permission.API_ACCESS) or second_factor.is_owed(member):
        return None
    if member.profile.requires_second_factor:
        return None
    return api_sessions.create(
        member=member,
        client_id="",
        connection=as_client_connection(connection),
        ip="",
        now=now,
        origin=ApiSessionOrigin.CONNECTION,
        by=_MAKER,
    )
