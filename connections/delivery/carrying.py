"""Make the calls of several batches at once: per lane no more than its share, in order where order is asked for."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Coroutine
from dataclasses import replace
from types import TracebackType
from typing import Self

from connections import conf
from connections.constants import AttemptOutcome
from connections.delivery.building import Call, build
from connections.delivery.claiming import Job
from connections.delivery.loads import Flow, Item, Load
from connections.delivery.outcomes import Result, judge, masked
from connections.delivery.policy import Policy
from connections.delivery.routing import Route, RouteUnavailable
from connections.delivery.sent import Sent, holds_up, not_sent
from vaultadmin import clock
from vaultadmin.outbound import AsyncDoor

logger = logging.getLogger(__name__)


class Carrier:
    """Use as a context manager; `submit` from the owning thread. One event loop, one pool of connections kept open."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._distrust_ends = conf.ends_on_bad_certificate()
        self._door = AsyncDoor(limit=policy.overall)
        self._signing = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="spark-carrier", daemon=True)
        self._flows: dict[int, Flow] = {}
        # The loop itself holds its tasks weakly.
        self._tasks: set[asyncio.Task[None]] = set()
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

    def submit(self, load: Load, route: Route) -> None:
        """Start sending a batch; its load tells how it fares."""
        self._loop.call_soon_threadsafe(self._begin, load, route)

    def _begin(self, load: Load, route: Route) -> None:
        batch = load.batch
        items = (Item(load, route, place) for place in range(len(batch.jobs)))
        if batch.sequential:
            self._start(self._in_order(deque(items)))
            return
        flow = self._flows.setdefault(batch.lane, Flow())
        flow.waiting.extend(items)
        for _ in range(min(len(batch.jobs), self._policy.concurrency - flow.callers)):
            flow.callers += 1
            self._start(self._side_by_side(batch.lane, flow))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _in_order(self, items: deque[Item]) -> None:
        """One after another; after the first that fails the rest goes back untried."""
        held_up = False
        for item in items:
            sent = await self._carry(item, may_begin=not held_up)
            held_up = sent is None or holds_up(sent)

    async def _side_by_side(self, lane: int, flow: Flow) -> None:
        """Be one of those who call a receiver; after several failures of its own what waits goes back untried."""
        try:
            while flow.waiting:
                sent = await self._carry(flow.waiting.popleft(), may_begin=flow.in_vain < self._policy.breaker_at)
                if sent is not None:
                    flow.note(sent)
        finally:
            flow.callers -= 1
            if not flow.callers:
                del self._flows[lane]

    async def _carry(self, item: Item, *, may_begin: bool) -> Sent | None:
        load = item.load
        load.take_up(low=self._policy.concurrency)
        sent = None
        if may_begin and not (self.stopping or load.stopped):
            try:
                sent = await self._send(item.job, item.route)
            except BaseException as error:
                # Nobody knows whether the call arrived: its owner must not take it for one that was never made.
                load.fail(error)
                raise
        load.end(item.place, sent)
        return sent

    async def _send(self, job: Job, route: Route) -> Sent:
        try:
            call = await self._build(job, route)
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
        if answer.body and (secrets := route.secrets(job.custom)):
            answer = replace(answer, body=masked(answer.body, secrets))
        result = judge(answer, now=clock.now(), kept=self._policy.answer_bytes, distrust_ends=self._distrust_ends)
        return Sent(job, result, call.url, call.certificate_id, call.sent_at, call.digest)

    async def _build(self, job: Job, route: Route) -> Call:
        """Signing keeps the loop busy for milliseconds: one at a time, and what came in is heard in between.

        Were all that may leave signed in a row, connections being opened would wait so long for their next step that
        they time out; and a call that is signed later finds one that is open already.
        """
        async with self._signing:
            call = build(route, job, now=clock.now())
            await asyncio.sleep(0)
        return call

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
