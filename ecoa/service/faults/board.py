"""What people and drills do with faults: arm, switch, rewind, remove. Each act leaves an audit row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Sum

from ecoa.contract import Region
from ecoa.service.faults.taking import GLOBAL
from ecoa.service.models import ServiceFault, ServiceRevision
from ecoa.service.models.faults import (
    HOLD_MAX_SECONDS,
    SHARE_MAX,
    Distribution,
    FaultCall,
    FaultKind,
    ensure_possible,
)
from ecoa.services.refusals import Refused
from vaultadmin import audit

AUDITED = [
    *("region", "call", "kind", "remaining", "internal_id_prefix", "hold_seconds", "share", "seed", "distribution"),
    *("least_seconds", "most_seconds", "spread", "starts_at", "ends_at", "cycle_seconds", "active_seconds"),
    *("scenario", "is_on"),
]
PARTICIPANT_CALLS = frozenset({FaultCall.GET, FaultCall.POST})
_ONLY_AT = {
    FaultKind.EXPIRED_TOKEN: PARTICIPANT_CALLS | {FaultCall.AUTHORIZE},
    FaultKind.WRONG_REGION: PARTICIPANT_CALLS | {FaultCall.DISCOVER},
}


def places() -> list[str]:
    """Where calls are made: the global address, and the regions."""
    return [GLOBAL, *Region]


def fits(*, region: str, call: FaultCall, kind: FaultKind) -> bool:
    """Whether such a fault can happen: discovery is global and the rest regional, and a call without token has none."""
    return (region == GLOBAL) is (call is FaultCall.DISCOVER) and call in _ONLY_AT.get(kind, FaultCall)


def arm(
    *,
    region: str,
    call: FaultCall,
    kind: FaultKind,
    by: audit.Actor,
    remaining: int | None = 1,
    internal_id_prefix: str = "",
    hold_seconds: float = 0.0,
    **more: Any,
) -> ServiceFault:
    """Let matching calls go wrong: the next `remaining`, or without end. `more` are fields of ServiceFault."""
    return add(
        ServiceFault(
            region=region,
            call=call,
            kind=kind,
            remaining=remaining,
            internal_id_prefix=internal_id_prefix,
            hold_seconds=hold_seconds,
            **more,
        ),
        by=by,
    )


@transaction.atomic
def add(fault: ServiceFault, *, by: audit.Actor) -> ServiceFault:
    """Arm a fault as filled in. Refused when it could never meet a call."""
    ensure_possible()
    _check(fault)
    fault.hold_seconds = min(max(fault.hold_seconds, 0.0), HOLD_MAX_SECONDS)
    fault.most_seconds = min(fault.most_seconds, HOLD_MAX_SECONDS)
    fault.save()
    audit.record(vault=None, by=by, event="ecoa_fault.armed", subject=fault, changes=audit.created(fault, AUDITED))
    return fault


@transaction.atomic
def add_once(fault: ServiceFault, *, by: audit.Actor) -> ServiceFault:
    """Arm a fault unless the very same one is armed and on: a form sent twice arms it once."""
    ensure_possible()
    one_at_a_time()
    same = {name: getattr(fault, name) for name in AUDITED}
    if ServiceFault.objects.filter(**same).exists():
        raise Refused("This very fault is armed already.")
    return add(fault, by=by)


@transaction.atomic
def switch(fault: ServiceFault, *, on: bool, by: audit.Actor) -> ServiceFault:
    """Switch one fault on or off; off it draws nothing, and on again it goes on where it was."""
    row = _locked(fault)
    if row.is_on is on:
        return row
    before = audit.snapshot(row, ["is_on"])
    row.is_on = on
    row.save(update_fields=["is_on"])
    event = "ecoa_fault.switched_on" if on else "ecoa_fault.switched_off"
    audit.record(vault=None, by=by, event=event, subject=row, changes=audit.diff(before, row, ["is_on"]))
    return row


@transaction.atomic
def rewind(fault: ServiceFault, *, by: audit.Actor) -> ServiceFault:
    """Begin the sequence of the seed anew and count from nought."""
    row = _locked(fault)
    counters = ["drawn", "injected"]
    before = audit.snapshot(row, counters)
    row.drawn = row.injected = 0
    row.save(update_fields=counters)
    audit.record(vault=None, by=by, event="ecoa_fault.rewound", subject=row, changes=audit.diff(before, row, counters))
    return row


@transaction.atomic
def disarm(fault: ServiceFault, *, by: audit.Actor) -> None:
    """Remove one fault; what it did stays in the trail."""
    row = _locked(fault)
    changes = {"Calls seen": (row.drawn, None), "Injected": (row.injected, None)}
    audit.record(vault=None, by=by, event="ecoa_fault.disarmed", subject=row, changes=changes)
    row.delete()


@transaction.atomic
def clear(*, by: audit.Actor) -> int:
    """Switch every fault off; how many were on. Works everywhere, so that nothing can be left on."""
    rows = list(ServiceFault.objects.select_for_update().filter(is_on=True).order_by("pk"))
    ServiceFault.objects.filter(pk__in=[row.pk for row in rows]).update(is_on=False)
    if rows:
        changes = {"On": (len(rows), 0)}
        audit.record(vault=None, by=by, event="ecoa_fault.all_switched_off", changes=changes)
    return len(rows)


def injected() -> dict[tuple[str, str, str], int]:
    """How often each kind of fault met a call since it was armed or rewound, by region, call and kind."""
    rows = ServiceFault.objects.values_list("region", "call", "kind").annotate(times=Sum("injected"))
    return {(region, call, kind): times for region, call, kind, times in rows.order_by() if times}


def state_of(fault: ServiceFault, *, now: datetime) -> str:
    """`active`, `planned` (its time is to come), `finished` (its time or its count is over) or `inactive` (off)."""
    if not fault.is_on:
        return "inactive"
    if fault.remaining == 0 or (fault.ends_at is not None and fault.ends_at <= now):
        return "finished"
    return "planned" if fault.starts_at is not None and fault.starts_at > now else "active"


def one_at_a_time() -> None:
    """Let acts that must not happen twice follow each other, until the transaction ends."""
    list(ServiceRevision.objects.select_for_update())


def _locked(fault: ServiceFault) -> ServiceFault:
    row = ServiceFault.objects.select_for_update().filter(pk=fault.pk).first()
    if row is None:
        raise Refused("Somebody removed this fault meanwhile.")
    return row


def _check(fault: ServiceFault) -> None:
    if fault.region not in places():
        raise Refused("Choose the global address or one of the regions.", field="region")
    if not fits(region=fault.region, call=FaultCall(fault.call), kind=FaultKind(fault.kind)):
        raise Refused(
            "This cannot happen there: discovery is asked at the global address and everything else in a region, and "
            "a token or a region is not part of every call.",
            field="call",
        )
    if not 0 <= fault.share <= SHARE_MAX:
        raise Refused("The share is a number from 0 to 100.", field="share")
    _check_schedule(fault.starts_at, fault.ends_at, fault.cycle_seconds, fault.active_seconds)
    if fault.distribution != Distribution.FIXED and fault.least_seconds > fault.most_seconds:
        raise Refused("The shortest delay must not be longer than the longest.", field="least_seconds")


def _check_schedule(start: datetime | None, end: datetime | None, cycle: int | None, active: int | None) -> None:
    if start and end and end <= start:
        raise Refused("The end must be after the beginning.", field="ends_at")
    if (cycle is None) is not (active is None):
        raise Refused("A pattern needs both: how often it begins, and for how long.", field="cycle_seconds")
    if cycle is not None and active is not None and not 0 < active <= cycle:
        raise Refused(
            "A pattern lasts at least a second and at most as long as it takes to repeat.", field="active_seconds"
        )
