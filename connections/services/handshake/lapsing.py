"""Requests nobody decides end by themselves: from rows, on both sides, with the withdrawal both sides know."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from connections.constants import BindingState
from connections.models import Binding
from connections.peering.messages import Decision, MessageType
from connections.services.handshake import delivering, exchange
from vaultadmin import audit

BY = audit.System("Deadline of requests")
# Each one is a transaction of its own; what is left over is taken by the next run.
_BATCH = 200


def lapse_due(*, now: datetime) -> int:
    """End every request whose time is over; returns how many. A second run finds nothing."""
    due = Binding.objects.open().filter(lapses_at__lte=now).order_by("lapses_at", "pk")
    return sum(_lapse(pk, now) for pk in list(due.values_list("pk", flat=True)[:_BATCH]))


def _lapse(binding_pk: int, now: datetime) -> bool:
    with transaction.atomic():
        binding = exchange.lock(binding_pk)
        if binding is None or not binding.is_open or binding.lapses_at is None or binding.lapses_at > now:
            return False
        days = (binding.lapses_at - binding.requested_at).days
        reason = f"Nobody decided within {days} day{'' if days == 1 else 's'}."
        exchange.close(binding, BindingState.LAPSED, by=BY, who="", reason=reason, now=now)
        # By nobody: that is how the other side knows it lapsed and was not withdrawn.
        body = Decision(binding.exchange, "", now, reason)
        message = exchange.post(binding, MessageType.WITHDRAW, body, now=now)
        transaction.on_commit(partial(delivering.deliver_one, message.pk, now=now), robust=True)
    return True
