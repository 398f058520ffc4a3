"""Faults on demand, for tests, demonstrations and training. A production installation has none and arms none.

What truly happens under the shipped server: a reply is cut off by promising more bytes than are sent, which makes it
close the connection. The caller may still see the status line, the headers and some of the body, or nothing at all.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from ecoa.service.models import ServiceFault
from ecoa.service.models.faults import FaultCall, FaultKind
from vaultadmin import audit

GLOBAL = "global"
HOLD_MAX_SECONDS = 120.0
_TABLE = ServiceFault._meta.db_table

# Concurrent calls take different faults or none, so `remaining` is exact.
_TAKE = f"""
UPDATE {_TABLE} SET remaining = remaining - 1
WHERE id = (
    SELECT id FROM {_TABLE}
    WHERE remaining > 0 AND region = %(region)s AND call = %(call)s
      AND starts_with(%(internal)s, internal_id_prefix)
    ORDER BY id LIMIT 1 FOR UPDATE
)
RETURNING kind, hold_seconds
"""  # nosec B608: table names come from our models, values are parameters

_BEFORE_WORK = {FaultKind.HTML, FaultKind.CLOSE}


class FaultsRefused(Exception):
    """This installation is in production and has no faults."""


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


@transaction.atomic
def arm(
    *,
    region: str,
    call: FaultCall,
    kind: FaultKind,
    by: audit.Actor,
    remaining: int = 1,
    internal_id_prefix: str = "",
    hold_seconds: float = 0.0,
) -> ServiceFault:
    """Let the next `remaining` matching calls go wrong."""
    if settings.PRODUCTION:
        raise FaultsRefused("Faults cannot be armed in production.")
    fault = ServiceFault.objects.create(
        region=region,
        call=call,
        kind=kind,
        remaining=remaining,
        internal_id_prefix=internal_id_prefix,
        hold_seconds=min(hold_seconds, HOLD_MAX_SECONDS),
    )
    fields = ["region", "call", "kind", "remaining", "internal_id_prefix", "hold_seconds"]
    changes = audit.created(fault, fields)
    audit.record(vault=None, by=by, event="ecoa_fault.armed", subject=fault, changes=changes)
    return fault


@transaction.atomic
def disarm(fault: ServiceFault, *, by: audit.Actor) -> None:
    audit.record(vault=None, by=by, event="ecoa_fault.disarmed", subject=fault)
    fault.delete()


def carry_out(work: Callable[[], bytes], *, region: str, call: FaultCall, armed: bool, internal_id: str = "") -> bytes:
    """Do the work of a call and return its answer, unless a fault armed for it comes in between."""
    fault = _take(region=region, call=call, internal_id=internal_id) if armed and not settings.PRODUCTION else None
    if fault is None:
        return work()
    if fault.kind is FaultKind.ERROR_500:
        raise InjectedFailure("A fault was armed for this call.")
    if fault.kind in _BEFORE_WORK:
        raise SpoiledReply(fault, None)
    raise SpoiledReply(fault, work())


def _take(*, region: str, call: FaultCall, internal_id: str) -> Fault | None:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"region": region, "call": call.value, "internal": internal_id})
        row = cursor.fetchone()
    return Fault(FaultKind(row[0]), row[1]) if row else None
