"""How a lane fares, noted with each batch: the newest outcome, and whether its receiver is left alone for a while."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection as database

from connections.constants import LaneOutcome
from connections.delivery.claiming import Batch
from connections.delivery.policy import Policy
from connections.delivery.sent import Sent
from connections.models import Lane

_SAVE = """
UPDATE connections_lane l
   SET failures_in_row = n.failures_in_row, paused_until = n.paused_until, last_outcome = n.last_outcome,
       last_delivered_at = n.last_delivered_at, last_error_at = n.last_error_at, last_error_id = n.last_error_id,
       last_error = n.last_error, lease_token = n.lease_token, lease_until = n.lease_until
  FROM jsonb_to_recordset(%(rows)s::jsonb)
       AS n(link_id bigint, failures_in_row integer, paused_until timestamptz, last_outcome text,
            last_delivered_at timestamptz, last_error_at timestamptz, last_error_id uuid, last_error text,
            lease_token uuid, lease_until timestamptz)
 WHERE l.link_id = n.link_id
"""
_COLUMNS = (
    "link_id",
    "failures_in_row",
    "paused_until",
    "last_outcome",
    "last_delivered_at",
    "last_error_at",
    "last_error_id",
    "last_error",
    "lease_token",
    "lease_until",
)


def note(lane: Lane, batch: Batch, sent: Sequence[Sent], policy: Policy, now: datetime) -> None:
    """What a batch says about its lane, which the caller holds and saves."""
    in_vain = 0
    for one in sent:
        if one.result is None:
            continue
        if one.result.delivered:
            lane.last_outcome, lane.last_delivered_at = LaneOutcome.OK.value, now
            lane.failures_in_row, lane.paused_until, in_vain = 0, None, 0
        else:
            lane.last_outcome, lane.last_error_at = LaneOutcome.ERROR.value, now
            lane.last_error_id, lane.last_error = one.job.message_id, one.result.error[:255]
            in_vain += int(one.result.speaks_for_receiver)
    if in_vain:
        _pause(lane, in_vain, policy, now, probing=batch.probing)
    if lane.lease_token == batch.token:
        lane.lease_token = lane.lease_until = None


def save(lanes: Iterable[Lane]) -> None:
    """Write what was noted."""
    rows = [{name: getattr(lane, name) for name in _COLUMNS} for lane in lanes]
    with database.cursor() as cursor:
        cursor.execute(_SAVE, {"rows": json.dumps(rows, default=str)})


def _pause(lane: Lane, in_vain: int, policy: Policy, now: datetime, *, probing: bool) -> None:
    """Leave a receiver alone that does not answer, after each probe twice as long."""
    if probing:
        lane.failures_in_row += 1
    else:
        # What left together with the failures that paused a lane was no probe.
        lane.failures_in_row = max(lane.failures_in_row, min(lane.failures_in_row + in_vain, policy.breaker_at))
    beyond = lane.failures_in_row - policy.breaker_at
    if beyond >= 0:
        lane.paused_until = now + min(policy.breaker_first * 2 ** min(beyond, 10), policy.breaker_longest)
