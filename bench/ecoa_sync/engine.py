"""Our side: runs planned as people plan them, drained by the product's workers or by one lane in a fresh process."""

from __future__ import annotations

import time
from dataclasses import replace

from django.conf import settings

from bench import fresh, world
from bench.errors import BenchError
from bench.stand import Stand
from bench.world import BENCH, HOST, World
from ecoa.models import OPEN_STATES, Scope, SyncRun
from ecoa.services import runs
from ecoa.sync import draining
from ecoa.sync.policy import POLICY
from vaultadmin import clock
from vaultadmin.celery import keep_what_is_loaded

_POLL = 0.05
# Far slower than anything seen; only a run that stands still takes longer.
_SLOWEST = 50


def plan(place: World, amount: int, *, prefix: str) -> SyncRun:
    """New participants, and a run of exactly these."""
    world.add_participants(place, place.sites, amount, prefix=prefix)
    return runs.plan(mapping=place.mapping, scope=Scope.INCREMENTAL, by=BENCH, now=clock.now())


def finished(run: SyncRun, amount: int, stand: Stand | None = None) -> SyncRun:
    """Wait for the workers; the run as it ended."""
    deadline = time.monotonic() + 60 + amount / _SLOWEST
    while SyncRun.objects.filter(pk=run.pk, state__in=OPEN_STATES).exists():
        if time.monotonic() > deadline:
            raise BenchError(f"{run} of {amount} participants did not finish.")
        if stand is not None:
            stand.require_alive()
        time.sleep(_POLL)
    ended: SyncRun = SyncRun.objects.get(pk=run.pk)
    return ended


def seconds_of(run: SyncRun) -> float:
    """From the moment it was asked for to the last participant's outcome."""
    if run.finished_at is None:
        raise BenchError(f"{run} has not finished.")
    return (run.finished_at - run.created_at).total_seconds()


def working_seconds_of(run: SyncRun) -> float:
    """From the frozen plan to the end; the start of the process that drains is left out."""
    if run.finished_at is None or run.started_at is None:
        raise BenchError(f"{run} has not finished.")
    return (run.finished_at - run.started_at).total_seconds()


def drain_through(ready: fresh.Ready, run_id: int, port: int, concurrency: int) -> None:
    """Runs in a process of its own: one lane, reaching the service through another port."""
    settings.OUTBOUND_RESOLVE = f"{HOST}:443=127.0.0.1:{port}"
    policy = replace(POLICY, concurrency=concurrency, most=concurrency, least=concurrency)
    keep_what_is_loaded()
    ready()
    while SyncRun.objects.filter(pk=run_id, state__in=OPEN_STATES).exists():
        draining.drain(run_id=run_id, policy=policy)
