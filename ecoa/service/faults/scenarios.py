"""Preset scenarios: a name people know the situation by, and the faults that make it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ecoa.contract import Region
from ecoa.service.faults import board
from ecoa.service.faults.taking import GLOBAL
from ecoa.service.models import ServiceFault
from ecoa.service.models.faults import Distribution, FaultCall, FaultKind
from ecoa.services.refusals import Refused
from vaultadmin import audit

_Fields = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """What people see, and which faults it arms; `faults` are fields of ServiceFault."""

    name: str
    label: Any
    text: Any
    faults: Callable[[], Iterable[_Fields]]


def _everywhere(
    kind: FaultKind, *, share: float, calls: Iterable[FaultCall] = FaultCall, **fields: Any
) -> Iterator[_Fields]:
    """The fault at every region and call where it can happen."""
    for call in calls:
        for region in [GLOBAL] if call is FaultCall.DISCOVER else Region:
            if board.fits(region=region, call=call, kind=kind):
                yield {"region": region, "call": call, "kind": kind, "share": share, **fields}


def _slow() -> Iterator[_Fields]:
    yield from _everywhere(
        FaultKind.LATENCY,
        share=100,
        distribution=Distribution.LOGNORMAL,
        hold_seconds=0.8,
        least_seconds=0.2,
        most_seconds=6,
        spread=0.8,
    )


def _lost_replies() -> Iterator[_Fields]:
    yield from _everywhere(FaultKind.DROP_REPLY, share=20, calls=[FaultCall.POST])


def _outage() -> Iterator[_Fields]:
    yield from _everywhere(FaultKind.ERROR_500, share=100)


def _flapping() -> Iterator[_Fields]:
    yield from _everywhere(FaultKind.HTML, share=100, cycle_seconds=60, active_seconds=15)


def _busy() -> Iterator[_Fields]:
    yield from _everywhere(FaultKind.RATE_LIMIT, share=30, hold_seconds=5, calls=board.PARTICIPANT_CALLS)


def _expired() -> Iterator[_Fields]:
    yield from _everywhere(FaultKind.EXPIRED_TOKEN, share=25)


def _moved() -> Iterator[_Fields]:
    yield from _everywhere(FaultKind.WRONG_REGION, share=100, calls=[FaultCall.DISCOVER])


def _everything() -> Iterator[_Fields]:
    for kind in FaultKind:
        yield from _everywhere(kind, share=20, **_HOLDS.get(kind, {}))


_HOLDS: dict[FaultKind, _Fields] = {
    FaultKind.LATENCY: {"distribution": Distribution.UNIFORM, "least_seconds": 0.0, "most_seconds": 0.05},
    FaultKind.HANG: {"hold_seconds": 0.2},
    FaultKind.SLOW_BODY: {"hold_seconds": 0.2},
    FaultKind.RATE_LIMIT: {"hold_seconds": 1},
}

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("slow", _("A slow day"), _("Every call takes its time, some of them several seconds."), _slow),
        Scenario(
            "lost_replies",
            _("Lost replies"),
            _("One in five writes takes effect, and the answer never arrives."),
            _lost_replies,
        ),
        Scenario("outage", _("eCOA is down"), _("Every call fails inside the service."), _outage),
        Scenario(
            "flapping",
            _("Comes and goes"),
            _("For 15 seconds of every minute a gateway answers with a web page instead."),
            _flapping,
        ),
        Scenario("busy", _("Too many calls"), _("Three in ten calls are told to come again in 5 seconds."), _busy),
        Scenario("expired", _("Tokens run out"), _("One in four tokens is not, or no longer, accepted."), _expired),
        Scenario("moved", _("Wrong region"), _("Discovery names a region where the site is not."), _moved),
        Scenario(
            "everything_at_20",
            _("Everything at once"),
            _("Every fault there is, on 20 % of the calls, everywhere. For drills."),
            _everything,
        ),
    )
}


@transaction.atomic
def play(name: str, *, by: audit.Actor, seed: int = 0, **fields: Any) -> list[ServiceFault]:
    """Arm the faults of a scenario, without end unless `fields` say otherwise. Refused while it plays already."""
    scenario = SCENARIOS[name]
    board.one_at_a_time()
    if ServiceFault.objects.filter(scenario=name, is_on=True).exists():
        raise Refused("This scenario plays already. Switch it off first, or remove its faults.")
    chosen = {"remaining": None, "seed": seed, "scenario": name}
    return [board.add(ServiceFault(**chosen | armed | fields), by=by) for armed in scenario.faults()]
