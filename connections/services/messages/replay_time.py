"""How long a replay will take, by what the calls of its lanes took lately."""

from __future__ import annotations

from typing import Final

from django.db.models import Avg, Count

from connections import conf
from connections.constants import AttemptOutcome, CopyState
from connections.models import DeliveryAttempt, MessageCopy, Queue, Replay, ReplayItemState

# What a call takes where none has been measured yet.
_UNMEASURED_MS: Final = 200
_LOOKED_AT: Final = 100


def estimate(replay: Replay) -> int:
    """Seconds the slowest lane of the plan will take, by what its calls took lately."""
    rows = replay.items.filter(state=ReplayItemState.PLANNED).values("copy__queue", "copy__connection")
    lanes = list(rows.annotate(number=Count("pk")).order_by())
    sequential = set(
        Queue.objects.filter(pk__in={lane["copy__queue"] for lane in lanes}, sequential=True).values_list(
            "pk", flat=True
        )
    )
    longest = 0.0
    for lane in lanes:
        side_by_side = 1 if lane["copy__queue"] in sequential else conf.spark_calls_per_connection()
        a_call = _milliseconds(lane["copy__queue"], lane["copy__connection"])
        longest = max(longest, lane["number"] * a_call / 1000 / side_by_side)
    return round(longest)


def _milliseconds(queue: int, connection: int) -> float:
    lately = MessageCopy.objects.filter(queue=queue, connection=connection, state=CopyState.DELIVERED)
    copies = list(lately.order_by("-pk").values_list("pk", flat=True)[:_LOOKED_AT])
    tries = DeliveryAttempt.objects.filter(copy__in=copies, outcome=AttemptOutcome.DELIVERED)
    found: float | None = tries.aggregate(mean=Avg("milliseconds"))["mean"]
    return found if found is not None else _UNMEASURED_MS
