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
from ecoa.sync.carrying import Breaker, Job, Lease, Outcome, carry_all
from ecoa.sync.policy import Policy
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


_Result = TypeVar("_Result")

# Regions and tokens outlive a drain; both are bound to the credentials they were obtained with.
_caches = Caches()


def forget() -> None:
    """Drop every region and token this process holds."""
    _caches.clear()


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
        self._slots = asyncio.Semaphore(policy.concurrency)
        self._door = AsyncDoor(limit=policy.concurrency)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="ecoa-carrier", daemon=True)
        self.breaker = Breaker(policy)

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

    async def _carry(self, jobs: list[Job], lease: Lease) -> list[Outcome]:
        client = MyVeevaClient(self._door, region_allowed=allowed_region, version=self._route.api_version)
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
        return await carry_all(
            jobs,
            session,
            slots=self._slots,
            lease=lease,
            breaker=self.breaker,
            read_back=self._route.read_back,
        )

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
