"""Hold messages back and release them: a connection, one queue of it, or everything in this installation.

What is held stays in its queue and loses no time of its retry window: the lanes stand still (`standstill`).
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from connections.models import Connection, Hold, Lane, Queue, QueueConnection
from connections.services.messages import putting, standstill
from connections.services.refusals import Refused
from vaultadmin import audit, place, wake
from vaultadmin.models import Membership, Vault
from vaultadmin.permissions import Permission, ensure
from vaultadmin.standing import standing
from vaultadmin.together import Asking

AUDITED = ["connection", "queue", "reason"]
_ELSEWHERE = (
    "This hold was set in another Vault of this installation. Its operators release it, or a Domain Administrator."
)


def hold(
    *,
    reason: str,
    by: Membership,
    now: datetime,
    connection: Connection | None = None,
    queue: Queue | None = None,
) -> Hold:
    """Keep messages from leaving until somebody releases them. Without a connection: everything, of every Vault here.

    Calls under way cannot be taken back; senders notice within seconds, and what they have not called goes back.
    """
    ensure(by, Permission.MESSAGES_OPERATE)
    if not reason.strip():
        raise Refused("Say why; everybody who meets the hold reads it.", field="reason")
    _check(connection, queue, by)
    made = Hold(vault=by.vault, connection=connection, queue=queue, reason=reason.strip(), held_by=str(by), since=now)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            _record("messages.held", made, reason, by)
            _note(made, now)
    except IntegrityError as error:
        if "hold_once_per_place" not in str(error):
            raise
        raise Refused("This is held already.") from error
    return made


def release_refusal(held: Hold, by: Membership) -> str:
    """Why this member cannot release a hold, in one sentence; empty when they can."""
    if held.released_at is not None:
        return "Somebody has released this meanwhile."
    if held.is_everywhere and held.vault_id != by.vault_id and not by.user.is_domain_admin:
        return _ELSEWHERE
    return ""


def release(*, held: Hold, by: Membership, now: datetime, reason: str = "") -> Hold:
    """Let messages go again; what waited is sent at once, in the order of its queue."""
    ensure(by, Permission.MESSAGES_OPERATE)
    with transaction.atomic():
        rows = (
            Hold.objects.visible_to(by).select_for_update(of=("self",)).select_related("vault", "connection", "queue")
        )
        current = rows.filter(pk=held.pk).first()
        if current is None:
            raise Refused("There is no such hold any more.")
        if refusal := release_refusal(current, by):
            raise Refused(refusal)
        current.released_at, current.released_by = now, str(by)
        current.save(update_fields=["released_at", "released_by"])
        _record("messages.released", current, reason.strip(), by)
        _note(current, now)
        wake.wake(putting.LANE)
    return current


def in_force(vault: Vault, *, connection: Connection | None = None, queue: Queue | None = None) -> Asking[list[Hold]]:
    """What keeps messages of a vault back now, the widest first; of one connection or queue what concerns it."""
    through = QueueConnection.objects.filter(queue=queue).values_list("connection_id", flat=True)
    holds, connections = yield _all_in_force(), through if queue is not None else through.none()
    found = [one for one in holds if one.connection is None or one.connection.vault_id == vault.pk]
    if connection is not None:
        found = [one for one in found if one.is_everywhere or one.connection_id == connection.pk]
    if queue is not None:
        found = [one for one in found if one.is_everywhere or _concerns(one, queue, set(connections))]
    for one in found:
        one.who = one.holder(vault.pk)
    return sorted(found, key=lambda one: not one.is_everywhere)


@standing
def _all_in_force() -> QuerySet[Hold]:
    return Hold.objects.in_force().select_related("connection", "queue", "vault").order_by("pk")


def _concerns(held: Hold, queue: Queue, through: set[int]) -> bool:
    return held.queue_id == queue.pk if held.queue_id is not None else held.connection_id in through


def _check(connection: Connection | None, queue: Queue | None, by: Membership) -> None:
    if connection is not None and connection.vault_id != by.vault_id:
        raise Refused("Choose a connection of this Vault.", field="connection")
    if queue is None:
        return
    if connection is None or not Lane.objects.filter(link__queue=queue, link__connection=connection).exists():
        raise Refused("Choose an Outbound queue that sends through this connection.", field="queue")


def _note(held: Hold, now: datetime) -> None:
    standstill.note(now=now, connection=held.connection, held=place.held())


def _record(event: str, held: Hold, reason: str, by: Membership) -> None:
    """In the vault's trail; what concerns every vault stands in the installation's, too."""
    changes = audit.created(held, AUDITED) | {"held": (None, str(held))}
    audit.record(vault=by.vault, by=by, event=event, subject=held, changes=changes, reason=reason)
    if held.is_everywhere:
        audit.record(vault=None, by=by, event=event, subject=held, changes=changes, reason=reason)
