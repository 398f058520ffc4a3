"""The network side of a lane: one thread with one event loop, one door, one session.

The lane's own thread keeps the database connection and hands batches over, so that claiming and settling one batch
happen while the next one is on the wire.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from django.conf import settings

from ecoa.client import Caches, Credentials, MyVeevaClient, SingleFlight, StudySession
from ecoa.sync.carrying import Job, Lease, Outcome, carry_all
from ecoa.sync.pacing import Lanes, Region
from ecoa.sync.policy import Policy
from ecoa.sync.shares import START_WITHIN, Need, Pool
from vaultadmin.outbound import AsyncDoor, region_allowed


@dataclass(frozen=True, slots=True)
class Route:
    """Everything about one study mapping a session needs, read once per drain."""

    base_url: str
    credentials: Credentials
    study: str
    api_version: str
    fixed_region: str
    read_back: bool
    # What the whole lane draws from: the system's calls, and the study's where it has a limit of its own.
    pools: tuple[Pool, ...]
    region_calls: int


_Result = TypeVar("_Result")

# Regions and tokens outlive a drain; both are bound to the credentials they were obtained with.
_caches = Caches()


def forget() -> None:
    """Drop every region and token this process holds."""
    _caches.clear()


def _pool_of(region: str) -> str:
    return f"region {region}"[:600]


def allowed_region(url: str) -> bool:
    """Whether a region URL is one of ours to trust with a secret."""
    return region_allowed(url, settings.ECOA_REGION_SUFFIXES)


class Carrier:
    """Use as a context manager; `submit` may be called from the owning thread only."""

    def __init__(self, route: Route, policy: Policy, *, caches: Caches | None = None) -> None:
        self._route = route
        self._policy = policy
        self._caches = caches or _caches
        self._flights = SingleFlight(now=time.monotonic)
        self.asking: Future[None] = Future()
        self.lanes = Lanes(policy, ask=self._ask)
        self._door = AsyncDoor(limit=policy.most)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="ecoa-carrier", daemon=True)
        self._measured = (time.monotonic(), dict[str, int]())

    def __enter__(self) -> Self:
        self._thread.start()
        self._on_loop(self._door.__aenter__()).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._on_loop(self._close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def submit(self, jobs: list[Job], lease: Lease) -> Future[list[Outcome]]:
        """Start carrying a batch; the future holds one outcome per job."""
        return self._on_loop(self._carry(jobs, lease))

    def needs(self) -> list[Need]:
        """What this lane asks of the caps now, and how it is doing."""
        self.asking = Future()
        regions = list(self.lanes.regions.items())
        busy = self.lanes.overall.under_way
        wanted = min(self._policy.most, sum(region.pace.limit for _url, region in regions) + self._policy.headroom)
        wanted = max(wanted, min(self._policy.concurrency, self._policy.most))
        rates = self._rates({url: region.done for url, region in regions})
        return [
            *(Need(pool, wanted, calls=busy) for pool in self._route.pools),
            *(self._need(url, region, rates.get(url, 0.0)) for url, region in regions),
        ]

    def grant(self, granted: dict[str, int]) -> int:
        """Work with these shares until the next time; returns how many calls that is altogether."""
        overall = min(granted[pool.name] for pool in self._route.pools)
        regions = {url: granted[_pool_of(url)] for url in list(self.lanes.regions) if _pool_of(url) in granted}
        until = time.monotonic() + START_WITHIN
        self._loop.call_soon_threadsafe(lambda: self.lanes.grant(overall, regions, until=until))
        return overall

    def stop_starting(self) -> None:
        """Start no further job of the batches handed over; those under way are seen through."""
        self._loop.call_soon_threadsafe(self.lanes.close)

    def _need(self, url: str, region: Region, per_second: float) -> Need:
        return Need(
            Pool(_pool_of(url), self._route.region_calls),
            min(region.pace.limit + self._policy.headroom, self._policy.most),
            calls=region.gate.under_way,
            is_region=True,
            pace=region.pace.limit,
            latency_ms=round(region.pace.latency * 1000),
            per_second=per_second,
            slowed=region.pace.slowed.value,
        )

    def _rates(self, done: dict[str, int]) -> dict[str, float]:
        """Participants a second brought over since the last time, by region."""
        (then, before), now = self._measured, time.monotonic()
        self._measured = (now, done)
        seconds = max(now - then, 0.001)
        return {url: (amount - before.get(url, 0)) / seconds for url, amount in done.items()}

    def _ask(self) -> None:
        """Wake the owning thread: there is something to get a share for."""
        if not self.asking.done():
            self.asking.set_result(None)

    async def _carry(self, jobs: list[Job], lease: Lease) -> list[Outcome]:
        client = MyVeevaClient(
            self._door,
            region_allowed=allowed_region,
            version=self._route.api_version,
            observe=self.lanes.observe,
        )
        session = StudySession(
            client,
            base_url=self._route.base_url,
            credentials=self._route.credentials,
            study=self._route.study,
            fixed_region=self._route.fixed_region,
            caches=self._caches,
            flights=self._flights,
            time_left=lease.left,
        )
        return await carry_all(jobs, session, lanes=self.lanes, lease=lease, read_back=self._route.read_back)

    async def _close(self) -> None:
        """End what is still under way (its outcome stays open) and close the door."""
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._door.__aexit__(None, None, None)

    def _on_loop(self, work: Coroutine[Any, Any, _Result]) -> Future[_Result]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
