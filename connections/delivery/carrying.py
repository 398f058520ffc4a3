"""Make the calls of several batches at once: per lane no more than its share, in order where order is asked for."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from dataclasses import replace
from types import TracebackType
from typing import Self

from connections import conf
from connections.constants import AttemptOutcome
from connections.delivery.building import build
from connections.delivery.claiming import Batch, Job
from connections.delivery.outcomes import Result, judge, masked
from connections.delivery.policy import Policy
from connections.delivery.routing import Route, RouteUnavailable
from connections.delivery.settling import Sent, holds_up, not_sent
from vaultadmin import clock
from vaultadmin.outbound import AsyncDoor

logger = logging.getLogger(__name__)


class Carrier:
    """Use as a context manager; `submit` from the owning thread. One event loop, one pool of connections kept open."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._distrust_ends = conf.ends_on_bad_certificate()
        self._door = AsyncDoor(limit=policy.overall)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="spark-carrier", daemon=True)
        # No further call begins; those under way end by their deadline.
        self.stopping = False

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._door.__aenter__(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._door.__aexit__(None, None, None), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def submit(self, batch: Batch, route: Route) -> Future[list[Sent]]:
        """Start sending a batch; the future holds one entry per job, in order."""
        work = self._in_order(batch, route) if batch.sequential else self._side_by_side(batch, route)
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _in_order(self, batch: Batch, route: Route) -> list[Sent]:
        """One after another; after the first that fails the rest goes back untried."""
        done: list[Sent] = []
        for job in batch.jobs:
            if self.stopping or (done and holds_up(done[-1])):
                done.append(Sent(job, None))
            else:
                done.append(await self._send(job, route))
        return done

    async def _side_by_side(self, batch: Batch, route: Route) -> list[Sent]:
        """So many at a time as one receiver is given; after several failures of its own the rest goes back untried."""
        done = [Sent(job, None) for job in batch.jobs]
        left = iter(enumerate(batch.jobs))
        in_vain = 0

        async def one_after_another() -> None:
            nonlocal in_vain
            for place, job in left:
                if self.stopping or in_vain >= self._policy.breaker_at:
                    return
                done[place] = await self._send(job, route)
                result = done[place].result
                in_vain = in_vain + 1 if result is not None and result.speaks_for_receiver else 0

        await asyncio.gather(*(one_after_another() for _ in batch.jobs[: self._policy.concurrency]))
        return done

    async def _send(self, job: Job, route: Route) -> Sent:
        try:
            call = build(route, job, now=clock.now())
            answer = await self._door.send(
                "POST", call.url, body=call.body, headers=call.headers, deadline=self._policy.call
            )
        except RouteUnavailable as refusal:
            return Sent(job, not_sent(refusal))
        except Exception as error:  # a fault of ours belongs to its message and keeps no other one from leaving
            logger.exception("a message could not be made ready")
            return Sent(
                job, Result(AttemptOutcome.NOT_SENT, error=f"It could not be made ready: {type(error).__name__}.")
            )
        answer = replace(answer, body=masked(answer.body, route.secrets(job.custom)))
        result = judge(answer, now=clock.now(), kept=self._policy.answer_bytes, distrust_ends=self._distrust_ends)
        return Sent(job, result, call.url, call.certificate_id, call.sent_at, call.digest)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
