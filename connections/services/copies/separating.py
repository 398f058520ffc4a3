"""What a copied installation lets go of when it becomes one of its own: all that belongs to the original.

The rules are those of a copied vault (veeva-core section 12.1, `copying.in_the_copy`), for every vault at once. No
peer is told: for them the original goes on. The signing key is the original's, so it is replaced like one that got
into other hands.
"""

from __future__ import annotations

from datetime import datetime

from connections.constants import BindingState, CloneBehavior, ConnectionState
from connections.models import (
    Connection,
    ConnectionAuthorization,
    OutgoingPeerMessage,
    PeerClock,
    SigningCertificate,
    VaultToken,
)
from connections.services.copies import copying
from connections.services.handshake import exchange, files
from connections.services.messages import alerts, queue_ending, replaying
from connections.services.signing import renewing
from vaultadmin import audit, secrets
from vaultadmin.models import Membership, User

REASON = "This installation was copied and became one of its own."


def let_go(by: Membership, now: datetime) -> dict[str, int]:
    """Inside the caller's transaction; returns how many of what were let go."""
    waiting, _ = OutgoingPeerMessage.objects.filter(settled_at__isnull=True).delete()
    # Before the queues: whoever carries a replay on holds it first.
    replays = replaying.let_go(by=by.user, now=now, reason=REASON)
    # What arrived, too: the original processes it, and answers it where its processor answers.
    waiting += queue_ending.remove_waiting(by=by.user, now=now, reason=REASON)
    PeerClock.objects.all().delete()
    connections = [
        connection
        for connection in Connection.objects.select_for_update(of=("self",)).select_related("vault").order_by("pk")
        if _part(connection, by.user, now)
    ]
    counts = {
        "Waiting messages": waiting,
        "Replays": replays,
        "Connections": len(connections),
        "Authorizations": _empty_authorizations(by.user),
        "Vault tokens": _empty_tokens(by.user),
        "Webhooks of alerts": alerts.let_webhooks_go(by=by.user, reason=REASON),
    }
    _replace_key(by.user, now)
    return counts


def _part(connection: Connection, by: User, now: datetime) -> bool:
    """Whether anything had to change."""
    told = [row for row in connection.bindings.all() if row.is_open or row.state == BindingState.IN_FORCE]
    for binding in told:
        binding.connection = connection
        if binding.is_open:
            exchange.close(binding, BindingState.WITHDRAWN, by=by, who=by.name, reason=REASON, now=now)
    for old in connection.bindings.in_force():
        exchange.end(old, now, ended_by=by.name, reason=REASON)
    files.revoke_open(connection, by=by, now=now, reason=REASON)
    wanted = copying.in_the_copy(connection)
    if connection.state == ConnectionState.ACTIVE and wanted.get("state") == ConnectionState.PENDING:
        exchange.move(connection, connection.reset, by, now, event="connection.reset", reason=REASON, **_rest(wanted))
    elif connection.state == ConnectionState.ACTIVE and wanted.get("state") == ConnectionState.INACTIVE:
        event = "connection.inactivated"
        exchange.move(connection, connection.inactivate, by, now, event=event, reason=REASON, **_rest(wanted))
    elif any(getattr(connection, name) != value for name, value in _rest(wanted).items()):
        _empty(connection, _rest(wanted), by, now)
    else:
        return bool(told)
    return True


def _rest(wanted: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in wanted.items() if name != "state"}


def _empty(connection: Connection, values: dict[str, object], by: User, now: datetime) -> None:
    before = audit.snapshot(connection, list(values))
    for name, value in values.items():
        setattr(connection, name, value)
    connection.modified_at = now
    connection.save()
    changes = audit.diff(before, connection, list(values))
    audit.record(
        vault=connection.vault, by=by, event="connection.edited", subject=connection, changes=changes, reason=REASON
    )


def _empty_authorizations(by: User) -> int:
    rows = list(ConnectionAuthorization.objects.filter(secret__isnull=False).select_related("secret", "vault"))
    for row in rows:
        held, row.secret = row.secret, None
        row.save(update_fields=["secret"])
        if held is not None:
            secrets.discard(held)
        changes: audit.Changes = {row.secret_label: (audit.SECRET_CHANGED, None)}
        audit.record(vault=row.vault, by=by, event="authorization.emptied", subject=row, changes=changes, reason=REASON)
    return len(rows)


def _empty_tokens(by: User) -> int:
    rows = VaultToken.objects.filter(clone_behavior=CloneBehavior.CLEAR).exclude(value="").select_related("vault")
    emptied = list(rows)
    for row in emptied:
        changes: audit.Changes = {"Value": (row.value, "")}
        row.value = ""
        row.save(update_fields=["value"])
        audit.record(vault=row.vault, by=by, event="vault_token.emptied", subject=row, changes=changes, reason=REASON)
    return len(emptied)


def _replace_key(by: User, now: datetime) -> None:
    newest = SigningCertificate.objects.order_by("-certificate_id").first()
    if newest is None:
        return
    # The one on its way to replace the active one is the original's, too.
    while renewing.replace_compromised(by=by, now=now).certificate_id <= newest.certificate_id:
        pass
    renewing.settle(by=by, now=now)
