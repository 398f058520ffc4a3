"""Faults on demand, for tests, demonstrations and training. A production installation has none and arms none.

A fault is a row: calls of one kind in one region, a share of them in %, go wrong in one way while a schedule holds.

    from ecoa.service import faults
    from ecoa.service.faults import FaultCall, FaultKind

    faults.arm(region="us", call=FaultCall.POST, kind=FaultKind.DROP_REPLY, by=BY)              # the next call
    faults.arm(region="us", call=FaultCall.POST, kind=FaultKind.HTML, by=BY, share=20, seed=7, remaining=None)
    faults.arm(region="eu", call=FaultCall.GET, kind=FaultKind.SLOW_BODY, by=BY, hold_seconds=3)   # drips for 3 s
    faults.arm(region="us", call=FaultCall.POST, kind=FaultKind.RATE_LIMIT, by=BY, hold_seconds=2)  # Retry-After: 2
    faults.arm(
        region="us", call=FaultCall.POST, kind=FaultKind.LATENCY, by=BY, remaining=None,
        distribution=Distribution.LOGNORMAL, hold_seconds=0.2, least_seconds=0.05, most_seconds=2,
        starts_at=..., ends_at=..., cycle_seconds=60, active_seconds=10,
    )
    faults.play("everything_at_20", seed=7, by=BY)     # a preset scenario, in every region and call
    faults.clear(by=BY)                                # everything off
    faults.injected()                                  # {(region, call, kind): how often}

Whether the n-th matching call of a fault is met follows from its seed and n alone (`chance.draw`), so a drill with
the same seed and the same calls meets the same faults. `region` is `faults.GLOBAL` for discovery. A latency may come
on top of one other fault; of the others at most one meets a call. A drill that works on another installation's
database inserts rows into ecoa_servicefault: it names region, call, kind, remaining (NULL: no end),
internal_id_prefix and hold_seconds, and every other column has a default there.
"""

from ecoa.service.faults.board import add, add_once, arm, clear, disarm, injected, rewind, state_of, switch
from ecoa.service.faults.chance import delay, draw
from ecoa.service.faults.scenarios import SCENARIOS, play
from ecoa.service.faults.taking import GLOBAL, Fault, InjectedFailure, SpoiledReply, carry_out
from ecoa.service.models.faults import (
    HOLD_MAX_SECONDS,
    Distribution,
    FaultCall,
    FaultKind,
    FaultsRefused,
    why_impossible,
)

__all__ = [
    "GLOBAL",
    "HOLD_MAX_SECONDS",
    "SCENARIOS",
    "Distribution",
    "Fault",
    "FaultCall",
    "FaultKind",
    "FaultsRefused",
    "InjectedFailure",
    "SpoiledReply",
    "add",
    "add_once",
    "arm",
    "carry_out",
    "clear",
    "delay",
    "disarm",
    "draw",
    "injected",
    "play",
    "rewind",
    "state_of",
    "switch",
    "why_impossible",
]
