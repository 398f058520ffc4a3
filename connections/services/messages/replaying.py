"""Replays as people handle them: a frozen plan, then start, pause, resume, cancel. `replay_work` carries it out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Case, CharField, Exists, OuterRef, QuerySet, Value, When

from connections.constants import CopyState
from connections.models import MessageCopy, QueueConnection, Replay, ReplayItem, ReplayItemState, ReplayState
from connections.models.replay import OPEN_STATES
from connections.selectors import messages
from connections.selectors.messages import Asked
from connections.services.messages import replay_time, resending
from connections.services.refusals import Refused
from vaultadmin import audit, wake
from vaultadmin.audit import Actor
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

LANE = "connections.replay"
# A plan is made while somebody waits for its page; what is more is planned in parts of time.
MOST: Final = 50_000
# From here on the number is typed before it starts.
MANY: Final = 100
_AT_ONCE: Final = 5_000


def plan(
    *, values: dict[str, str], words: str, by: Membership, now: datetime, creation_key: UUID | None = None
) -> Replay:
    """Write down which messages fit the filters now, which of them are left out and why, and how long it takes.

    Nothing is sent before somebody starts the plan, and then exactly what it names, in the order of the originals.
    A `creation_key` makes repeating harmless: the plan it made before is returned.
    """
    ensure(by, Permission.MESSAGES_OPERATE)
    if before := _made_before(creation_key, by):
        return before
    asked = messages.read(values, now=now)
    if not asked.is_outgoing:
        raise Refused("Only outgoing messages can be sent again; incoming ones are processed again where they stand.")
    replay: Replay = Replay(vault=by.vault, asked=kept(asked), words=words[:500], planned_by=str(by), planner=by)
    replay.planned_at, replay.creation_key = now, creation_key
    try:
        return _write_down(replay, asked, by)
    except IntegrityError:
        if before := _made_before(creation_key, by):
            return before
        raise


def _write_down(replay: Replay, asked: Asked, by: Membership) -> Replay:
    with transaction.atomic():
        found = _judged(by, asked)
        replay.save(force_insert=True)
        items = [_item(replay, pk, reason) for pk, reason in found]
        for begin in range(0, len(items), _AT_ONCE):
            ReplayItem.objects.bulk_create(items[begin : begin + _AT_ONCE])
        _sum_up(replay, items)
        changes: audit.Changes = {
            "messages": (None, replay.total),
            "left out": (None, replay.excluded),
            "what": (None, replay.words),
        }
        audit.record(vault=by.vault, by=by, event="replay.planned", subject=replay, changes=changes)
    return replay


def start(replay: Replay, *, by: Membership, now: datetime, reason: str = "") -> Replay:
    """Carry the plan out, exactly as it was made."""

    def act(current: Replay) -> None:
        if current.total == 0:
            raise Refused("There is nothing in this plan that can be sent again.")
        current.start(by=str(by), at=now)

    return _move(replay, "replay.started", why_not_start, act, by, reason)


def pause(replay: Replay, *, by: Membership, now: datetime) -> Replay:
    """Put nothing more into queues; what is in them goes on."""
    return _move(replay, "replay.paused", why_not_pause, lambda current: current.pause(by=str(by), at=now), by)


def resume(replay: Replay, *, by: Membership, now: datetime) -> Replay:
    """Go on where a paused replay was."""
    return _move(replay, "replay.resumed", why_not_resume, lambda current: current.resume(), by)


def cancel(replay: Replay, *, by: Membership, now: datetime) -> Replay:
    """End it: the rest is not sent; what was sent stays sent."""
    return _move(replay, "replay.cancelled", why_not_cancel, lambda current: current.cancel(at=now), by)


def let_go(*, by: Actor, now: datetime, reason: str) -> int:
    """End every replay of the installation, inside the caller's transaction; returns how many were open."""
    rows = Replay.objects.select_for_update(of=("self",)).select_related("vault").filter(state__in=OPEN_STATES)
    ended = list(rows.order_by("pk"))
    for replay in ended:
        before = str(replay.state)
        replay.cancel(at=now)
        replay.save()
        changes: audit.Changes = {"state": (before, str(replay.state)), "sent": (None, replay.sent)}
        audit.record(
            vault=replay.vault, by=by, event="replay.cancelled", subject=replay, changes=changes, reason=reason
        )
    return len(ended)


def why_not_start(replay: Replay) -> str:
    """Why a replay cannot be started now, in one sentence; empty when it can."""
    return "" if replay.state == ReplayState.PLANNED else "This plan was started or discarded already."


def why_not_pause(replay: Replay) -> str:
    """Why a replay cannot be paused now, in one sentence; empty when it can."""
    return "" if replay.state == ReplayState.RUNNING else "This replay is not running."


def why_not_resume(replay: Replay) -> str:
    """Why a replay cannot be resumed now, in one sentence; empty when it can."""
    return "" if replay.state == ReplayState.PAUSED else "This replay is not paused."


def why_not_cancel(replay: Replay) -> str:
    """Why a replay cannot be cancelled now, in one sentence; empty when it can."""
    return "" if replay.is_open else "This replay is over."


def kept(asked: Asked) -> dict[str, str]:
    """Filters as a plan keeps them, periods turned into the moments they meant."""
    values: dict[str, Any] = {name: getattr(asked, name) for name in messages.FILTERS}
    return {name: _text(value) for name, value in values.items() if value}


def _made_before(creation_key: UUID | None, by: Membership) -> Replay | None:
    if creation_key is None:
        return None
    found: Replay | None = Replay.objects.visible_to(by).filter(creation_key=creation_key).first()
    return found


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _judged(by: Membership, asked: Asked) -> list[tuple[int, str]]:
    found: Any = _with_reason(messages.outgoing(by, asked)).order_by("pk")
    rows: list[tuple[int, str]] = list(found.values_list("pk", "left_out")[: MOST + 1])
    if len(rows) > MOST:
        raise Refused(f"More than {MOST:,} messages fit. Replay them in parts: give a time until which they entered.")
    if not rows:
        raise Refused("No message fits these filters now.")
    return rows


def _with_reason(rows: QuerySet[MessageCopy]) -> QuerySet[MessageCopy]:
    """The same reasons as `resending.refusal_code`, judged for all at once."""
    link = QueueConnection.objects.filter(queue=OuterRef("queue"), connection=OuterRef("connection"))
    again = MessageCopy.objects.filter(resend_of=OuterRef("pk"))
    cases = [
        When(state=CopyState.WAITING, then=Value(resending.WAITING)),
        When(state=CopyState.REMOVED, then=Value(resending.REMOVED)),
        When(Exists(again), then=Value(resending.SENT_AGAIN)),
        When(content__payload_removed_at__isnull=False, then=Value(resending.NO_PAYLOAD)),
        When(connection__isnull=True, then=Value(resending.NO_CONNECTION)),
        When(~Exists(link), then=Value(resending.NOT_CONNECTED)),
        When(~Exists(link.filter(is_active=True)), then=Value(resending.LINK_INACTIVE)),
        When(queue__is_active=False, then=Value(resending.QUEUE_INACTIVE)),
    ]
    bare = rows.select_related(None).defer(None)
    return bare.annotate(left_out=Case(*cases, default=Value(""), output_field=CharField()))


def _item(replay: Replay, copy: int, reason: str) -> ReplayItem:
    state = ReplayItemState.EXCLUDED if reason else ReplayItemState.PLANNED
    return ReplayItem(replay=replay, copy_id=copy, state=state, reason=reason)


def _sum_up(replay: Replay, items: list[ReplayItem]) -> None:
    planned = replay.items.filter(state=ReplayItemState.PLANNED)
    replay.excluded = sum(bool(item.reason) for item in items)
    replay.total = len(items) - replay.excluded
    replay.delivered_before = planned.filter(copy__state=CopyState.DELIVERED).count()
    replay.seconds = replay_time.estimate(replay)
    replay.save()


def _move(
    replay: Replay,
    event: str,
    why_not: Callable[[Replay], str],
    act: Callable[[Replay], None],
    by: Membership,
    reason: str = "",
) -> Replay:
    ensure(by, Permission.MESSAGES_OPERATE)
    with transaction.atomic():
        rows = Replay.objects.visible_to(by).select_for_update(of=("self",)).select_related("vault")
        current: Replay | None = rows.filter(pk=replay.pk).first()
        if current is None:
            raise Refused("There is no such replay any more.")
        if refusal := why_not(current):
            raise Refused(refusal)
        before = str(current.state)
        act(current)
        current.save()
        changes: audit.Changes = {"state": (before, str(current.state)), "sent": (None, current.sent)}
        audit.record(vault=by.vault, by=by, event=event, subject=current, changes=changes, reason=reason.strip())
        wake.wake(LANE)
    return current
