"""Carry replays out from their rows, some messages a transaction: a worker's death loses and doubles nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction

from connections.models import MessageCopy, Replay, ReplayItem, ReplayItemState, ReplayState
from connections.services.messages import resending, tallies
from connections.services.messages.resending import Why
from connections.spark.message import CAPACITY
from vaultadmin import audit

WORK_FOR: Final = 20.0
BATCH: Final = 200
# A replay leaves room in its queues for what is put into them meanwhile.
_FILLS_TO: Final = CAPACITY // 2
_BY = audit.System("Replays")


def work(*, now: Callable[[], datetime]) -> int:
    """Carry on every running replay until nothing moves or the time is up; returns how many messages were sent."""
    stop_at = time.monotonic() + WORK_FOR
    sent = 0
    running = list(Replay.objects.filter(state=ReplayState.RUNNING).order_by("pk").values_list("pk", flat=True))
    while running and time.monotonic() < stop_at:
        for pk in list(running):
            number, goes_on = _step(pk, now())
            sent += number
            if not goes_on:
                running.remove(pk)
    return sent


def _step(pk: int, now: datetime) -> tuple[int, bool]:
    """One batch in one transaction under the replay's lock: whoever comes second leaves it alone."""
    with transaction.atomic():
        rows = Replay.objects.select_for_update(skip_locked=True, of=("self",)).select_related("vault")
        replay = rows.filter(pk=pk, state=ReplayState.RUNNING).first()
        if replay is None:
            return 0, False
        items = list(replay.items.filter(state=ReplayItemState.PLANNED).order_by("pk")[:BATCH])
        if not items:
            _finish(replay, now)
            return 0, False
        sent, waits_for = _send(replay, items, now)
        replay.waits_for = waits_for
        replay.save()
        return sent, not waits_for


def _send(replay: Replay, items: list[ReplayItem], now: datetime) -> tuple[int, str]:
    """Send what there is room for, in order; returns how many, and what the rest waits for."""
    rows = resending.rows_to_send([item.copy_id for item in items])
    # The message, too: retention leaves alone what somebody holds.
    copies = {copy.pk: copy for copy in rows.select_for_update(of=("self", "content"))}
    links = resending.links_of(list(copies.values()))
    room: dict[int, int] = {}
    good: list[tuple[ReplayItem, MessageCopy]] = []
    skipped: list[ReplayItem] = []
    waits_for = ""
    for item in items:
        copy = copies[item.copy_id]
        item.reason = resending.refusal_code(copy, links)
        if item.reason:
            item.state = ReplayItemState.SKIPPED
            skipped.append(item)
            continue
        if copy.queue_id not in room:
            room[copy.queue_id] = _FILLS_TO - tallies.waiting(copy.queue)
        if room[copy.queue_id] <= 0:
            waits_for = f"The queue “{copy.queue}” is well filled; the replay goes on as it empties."
            break
        room[copy.queue_id] -= 1
        good.append((item, copy))
    _settle(replay, good, skipped, resending.put_again([copy for _item, copy in good], links, _why(replay), now=now))
    return len(good), waits_for


def _settle(
    replay: Replay, good: list[tuple[ReplayItem, MessageCopy]], skipped: list[ReplayItem], made: list[MessageCopy]
) -> None:
    for (item, _copy), again in zip(good, made, strict=True):
        item.state, item.again = ReplayItemState.SENT, again
    done = [item for item, _copy in good] + skipped
    ReplayItem.objects.bulk_update(done, ["state", "reason", "again"])
    replay.sent += len(good)
    replay.skipped += len(skipped)


def _why(replay: Replay) -> Why:
    return Why(replay.started_by, f"{replay}: {replay.words}")


def _finish(replay: Replay, now: datetime) -> None:
    replay.finish(at=now)
    replay.save()
    changes: audit.Changes = {
        "state": (ReplayState.RUNNING.value, str(replay.state)),
        "sent": (None, replay.sent),
        "not sent": (None, replay.skipped),
    }
    audit.record(vault=replay.vault, by=_BY, event="replay.finished", subject=replay, changes=changes)
