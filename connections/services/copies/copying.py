"""What of connections a sandbox gets, and what it gets changed (veeva-core section 12.1).

No message, file, agreement, statistic or secret is ever copied: the copy can reach nobody until somebody says so there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import transaction

from connections.constants import BindingState, CloneBehavior, ConnectionState, ConnectionType
from connections.models import (
    Binding,
    Connection,
    ConnectionAuthorization,
    ConnectionClient,
    Integration,
    IntegrationPoint,
    OutgoingPeerMessage,
    ReferenceLookup,
    VaultToken,
)
from connections.peering.messages import Decision, MessageType
from connections.services.copies import healing
from connections.services.handshake import delivering, exchange
from connections.services.signing import certificates
from connections.tokens import PATTERN
from vaultadmin.models import Membership
from vaultadmin.sandboxes.registry import Copying, Part, copy_of

_REFRESHED = "The sandbox was refreshed."


def copy_tokens(copying: Copying) -> int:
    """Vault tokens; those that say so lose their value."""
    sources = list(VaultToken.objects.filter(vault=copying.source).order_by("pk"))
    copies = []
    for source in sources:
        cleared = {"value": ""} if source.clone_behavior == CloneBehavior.CLEAR else {}
        copies.append(copy_of(source, vault_id=copying.target.pk, **cleared))
    for source, made in zip(sources, copying.insert(sources, copies), strict=True):
        if source.value and not made.value:
            copying.breaks(healing.TOKEN, made)
    copying.record(copies, "vault_token.copied")
    return len(copies)


def copy_authorizations(copying: Copying) -> int:
    """Authorizations with their public half only; the secret must be entered again."""
    sources = list(ConnectionAuthorization.objects.filter(vault=copying.source).order_by("pk"))
    copies = [copy_of(source, vault_id=copying.target.pk, secret_id=None) for source in sources]
    for source, made in zip(sources, copying.insert(sources, copies), strict=True):
        if source.secret_id is not None:
            copying.breaks(healing.SECRET, made)
    copying.record(copies, "authorization.copied")
    return len(copies)


def copy_connections(copying: Copying) -> int:
    """Every connection by the rule of its type."""
    certificate = certificates.current()
    sources = list(Connection.objects.filter(vault=copying.source).order_by("pk"))
    copies = []
    for source in sources:
        user = copying.members.get(source.authorized_user_id) if source.authorized_user_id else None
        changes = {
            "vault_id": copying.target.pk,
            "authorized_user_id": user.pk if user else None,
            "authorization_id": copying.id_of(ConnectionAuthorization, source.authorization_id),
            "signing_certificate_id": certificate.pk,
            "signing_certificate_chosen_at": None,
            "file_generation": 0,
            "created_at": copying.now,
            "modified_at": copying.now,
        }
        copies.append(copy_of(source, **(changes | in_the_copy(source))))
    for source, made in zip(sources, copying.insert(sources, copies), strict=True):
        _note_breaks(copying, source, made)
    copying.record(copies, "connection.copied")
    return len(copies)


def in_the_copy(source: Connection) -> dict[str, Any]:
    """What a connection's copy has otherwise than its source: the table of veeva-core section 12.1.

    Vault to Vault: an established one is Pending, and no Remote Vault ID leads it to the source's peer past the
    approvals; remote details stay as notes. External: without a token in its URL it is Inactive and its URL gone,
    with one it stays as it is. Local: stays as it is.
    """
    if source.type == ConnectionType.VAULT_TO_VAULT:
        apart = source.state in (ConnectionState.INACTIVE, ConnectionState.DISCONNECTED)
        state = source.state if apart else ConnectionState.PENDING
        return {"state": state, "remote_vault_id": None, "remote_connection_id": ""}
    if source.type == ConnectionType.EXTERNAL and not PATTERN.search(source.url):
        # One that never had a URL, for calls from outside only, can be activated without entering one.
        return {"state": ConnectionState.INACTIVE, "url": "", "url_removed": bool(source.url)}
    return {}


def copy_integrations(copying: Copying) -> int:
    """Integrations with their points: statuses as in the source."""
    sources = _children(Integration, copying)
    copies = [_child(copying, source, "connection", Connection) for source in sources]
    copying.insert(sources, copies)
    copying.record(copies, "integration.copied")
    points = list(IntegrationPoint.objects.filter(vault=copying.source).order_by("pk"))
    points = [point for point in points if copying.id_of(Integration, point.integration_id)]
    made = [_child(copying, point, "integration", Integration) for point in points]
    copying.insert(points, made)
    return len(copies)


def copy_clients(copying: Copying) -> int:
    """Approved Client IDs, the same ones: programs of the sandbox call with them."""
    sources = _children(ConnectionClient, copying)
    copies = [_child(copying, source, "connection", Connection) for source in sources]
    copying.insert(sources, copies)
    return len(copies)


def copy_lookups(copying: Copying) -> int:
    """Reference lookups."""
    sources = _children(ReferenceLookup, copying)
    copies = [_child(copying, source, "connection", Connection) for source in sources]
    copying.insert(sources, copies)
    return len(copies)


def clear_connections(copying: Copying) -> None:
    """Take the copy's own connections away. What was agreed is told to no peer, as when the sandbox was made; a request
    that still runs is withdrawn, so that nobody over there decides about what is gone."""
    target = copying.target
    unsent = OutgoingPeerMessage.objects.filter(binding__connection__vault=target)
    running = Binding.objects.open().filter(connection__vault=target).order_by("connection", "pk")
    farewells = [message for binding in list(running) if (message := _withdraw(binding.pk, copying))]
    unsent.exclude(pk__in=[message.pk for message in farewells]).delete()
    gone = list(Connection.objects.filter(vault=target).order_by("pk"))
    copying.record(gone, "connection.replaced")
    Connection.objects.filter(vault=target).delete()


def _withdraw(binding_pk: int, copying: Copying) -> OutgoingPeerMessage | None:
    """The message stays due when its record has gone, until the peer has answered."""
    binding = exchange.lock(binding_pk)
    if binding is None or not binding.is_open:
        return None
    by = copying.by
    who = by.user.name if isinstance(by, Membership) else by.name
    exchange.close(binding, BindingState.WITHDRAWN, by=by, who=who, reason=_REFRESHED, now=copying.now)
    said = Decision(binding.exchange, who, copying.now, _REFRESHED)
    message = exchange.post(binding, MessageType.WITHDRAW, said, now=copying.now)
    transaction.on_commit(partial(delivering.deliver_one, message.pk, now=copying.now), robust=True)
    return message


def clear_authorizations(copying: Copying) -> None:
    """Take the copy's own authorizations away, their secrets with them."""
    rows = ConnectionAuthorization.objects.filter(vault=copying.target).select_related("secret")
    held = [row.secret for row in rows if row.secret is not None]
    rows.delete()
    for secret in held:
        secret.delete()


def clear_tokens(copying: Copying) -> None:
    """Take the copy's own Vault tokens away."""
    VaultToken.objects.filter(vault=copying.target).delete()


def _kept(_copying: Copying) -> None:
    """Goes with its connection."""


def _note_breaks(copying: Copying, source: Connection, made: Connection) -> None:
    if source.state == ConnectionState.ACTIVE and source.is_vault_to_vault:
        copying.breaks(healing.PEER, made, note=_peer_of(source))
    if source.state == ConnectionState.ACTIVE and made.state == ConnectionState.INACTIVE:
        copying.breaks(healing.URL if made.url_removed else healing.INBOUND, made, note=source.url)
    if source.authorized_user_id is not None and made.authorized_user_id is None:
        copying.breaks(healing.USER, made, note=str(source.authorized_user))


def _peer_of(source: Connection) -> str:
    number = f" {source.remote_vault_id}" if source.remote_vault_id else ""
    return f"{source.remote_vault_name or 'Vault'}{number}"


def _children(model: type[Any], copying: Copying) -> list[Any]:
    """The rows below connections that were copied; one that came meanwhile is left for the next refresh."""
    rows: Sequence[Any] = model.objects.filter(vault=copying.source).order_by("pk")
    return [row for row in rows if copying.id_of(Connection, row.connection_id)]


def _child(copying: Copying, source: Any, parent: str, model: type[Any]) -> Any:
    above = copying.id_of(model, getattr(source, f"{parent}_id"))
    return copy_of(source, vault_id=copying.target.pk, **{f"{parent}_id": above})


PARTS = (
    Part("Vault tokens", copy_tokens, clear_tokens),
    Part("Authorizations", copy_authorizations, clear_authorizations),
    Part("Connections", copy_connections, clear_connections),
    Part("Integrations", copy_integrations, _kept),
    Part("Connection Clients", copy_clients, _kept),
    Part("Reference lookups", copy_lookups, _kept),
)
