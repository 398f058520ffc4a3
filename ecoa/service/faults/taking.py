"""Meeting a fault: one statement decides which fault, if any, a call is met by; then it happens.

What truly happens under the shipped server: a reply is cut off by promising more bytes than are sent, which makes it
close the connection. The caller may still see the status line, the headers and some of the body, or nothing at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from ecoa.service.faults import chance
from ecoa.service.models import ServiceFault
from ecoa.service.models.faults import Distribution, FaultCall, FaultKind, why_impossible
from vaultadmin import clock

GLOBAL = "global"
_TABLE = ServiceFault._meta.db_table

# The rows are locked first, so concurrent calls draw different numbers and `remaining` is exact. Every fault that
# matches draws; of those that hit, a latency and one other meet the call: certain ones first and the oldest of these,
# else the one whose draw was the clearest, so that no fault hides behind an older one.
_TAKE = f"""
WITH armed AS MATERIALIZED (
    SELECT id, kind, share, seed, drawn + 1 AS number
    FROM {_TABLE}
    WHERE is_on AND region = %(region)s AND call = %(call)s AND (remaining IS NULL OR remaining > 0)
      AND starts_with(%(internal)s, internal_id_prefix)
      AND (starts_at IS NULL OR starts_at <= %(now)s) AND (ends_at IS NULL OR ends_at > %(now)s)
      AND (cycle_seconds IS NULL OR mod(
          extract(epoch FROM %(now)s::timestamptz - coalesce(starts_at, created_at))::numeric, cycle_seconds
      ) < coalesce(active_seconds, 0))
    ORDER BY id FOR UPDATE
), drawn AS (
    SELECT id, kind, share, {chance.DRAW_SQL} * 100 AS draw FROM armed
), met AS (
    SELECT DISTINCT ON (kind = '{FaultKind.LATENCY.value}') id FROM drawn WHERE draw < share
    ORDER BY kind = '{FaultKind.LATENCY.value}', CASE WHEN share >= 100 THEN 0 ELSE draw / share END, id
)
UPDATE {_TABLE} fault
SET drawn = armed.number,
    injected = injected + met_here.times,
    remaining = remaining - met_here.times,
    injected_at = CASE WHEN met_here.times = 1 THEN %(now)s ELSE injected_at END
FROM armed CROSS JOIN LATERAL (SELECT count(*)::int AS times FROM met WHERE met.id = armed.id) met_here
WHERE fault.id = armed.id
RETURNING met_here.times, fault.kind, fault.seed, armed.number, fault.hold_seconds, fault.distribution,
          fault.least_seconds, fault.most_seconds, fault.spread
"""  # nosec B608: table names come from our models, values are parameters

_BEFORE_WORK = {FaultKind.HTML, FaultKind.CLOSE, FaultKind.RATE_LIMIT}


class InjectedFailure(Exception):
    """The unexpected error of an `error_500` fault; it takes the path of every unexpected error."""


@dataclass(frozen=True, slots=True)
class Fault:
    kind: FaultKind
    hold_seconds: float


class SpoiledReply(Exception):
    """The call ends in a reply that is none. `body` is the true one, None when the work was not done."""

    def __init__(self, fault: Fault, body: bytes | None) -> None:
        super().__init__(fault.kind.label)
        self.fault = fault
        self.body = body


def carry_out(
    work: Callable[[], bytes],
    *,
    region: str,
    call: FaultCall,
    armed: bool,
    internal_id: str = "",
    instead: Mapping[FaultKind, Callable[[], bytes]] | None = None,
) -> bytes:
    """Do the work of a call and return its answer, unless a fault armed for it comes in between.

    `instead` says what a fault means that only the call itself can act out, such as an expired token.
    """
    if not armed or why_impossible():
        return work()
    fault = None
    for met in _take(region=region, call=call, internal_id=internal_id):
        if met.kind is FaultKind.LATENCY:
            time.sleep(met.hold_seconds)
        else:
            fault = met
    if fault is None:
        return work()
    if instead and fault.kind in instead:
        return instead[fault.kind]()
    if fault.kind is FaultKind.ERROR_500:
        raise InjectedFailure("A fault was armed for this call.")
    raise SpoiledReply(fault, None if fault.kind in _BEFORE_WORK else work())


def _take(*, region: str, call: FaultCall, internal_id: str) -> list[Fault]:
    """The faults that meet this call: none, one, or a latency and another. Draws for all that could have."""
    values: dict[str, Any] = {"region": region, "call": call.value, "internal": internal_id, "now": clock.now()}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        rows = cursor.fetchall()
    return [Fault(FaultKind(kind), _hold(*rest)) for times, kind, *rest in rows if times]


def _hold(seed: int, number: int, value: float, distribution: str, least: float, most: float, spread: float) -> float:
    return chance.delay(
        distribution=Distribution(distribution),
        value=value,
        least=least,
        most=most,
        spread=spread,
        seed=seed,
        number=number,
    )
