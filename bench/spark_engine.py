"""The sender as its workers run it, each in a process of its own, and the least that sending can cost beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import psutil
from django.conf import settings

from bench import fresh
from bench.errors import BenchError
from bench.spark_world import ATTRIBUTES, HOST, ITEMS
from connections.delivery import draining
from connections.delivery.policy import POLICY
from connections.services.signing import certificates
from connections.spark.envelope import SPARK_MESSAGE, Envelope, SparkBody
from connections.spark.message import write_payload
from connections.spark.signing import Signer, sign
from vaultadmin import clock
from vaultadmin.outbound import AsyncDoor

# As many as the machine the figures are for has cores.
PROCESSES = 2
# Calls under way in one process of the bound: more of them gain nothing on one machine.
CONCURRENCY = 32
_MIB = 2**20


@dataclass(frozen=True)
class Drained:
    """What one sender did: when it began and ended on the machine's monotonic clock, and what it holds afterwards."""

    began: float
    ended: float
    rss_mib: float


def drain(port: int, *, seconds: float, only_for: float | None = None, call: float = POLICY.call) -> list[Drained]:
    """Let so many senders empty everything that is due, or work at it `only_for` so many seconds."""
    return _together("bench.spark_engine.drain_here", [(port, only_for, call)] * PROCESSES, seconds)


def drain_here(ready: fresh.Ready, port: int, only_for: float | None, call: float) -> Drained:
    """Runs in a process of its own: what the worker's task does, until a wake-up finds nothing."""
    _reach(port)
    certificates.private_key(certificates.current())
    policy = replace(POLICY, drain_for=only_for or POLICY.drain_for, call=call)
    ready()
    began = time.monotonic()
    while draining.drain(policy=policy) and only_for is None:
        pass
    return Drained(began, time.monotonic(), psutil.Process().memory_info().rss / _MIB)


def rate_of(done: Sequence[Drained], delivered: int) -> float:
    """Copies a second, of all senders from the first beginning to the last end."""
    return delivered / (max(one.ended for one in done) - min(one.began for one in done))


def bound(port: int, amount: int, *, vault_id: int) -> float:
    """Messages a second when they are signed and posted over kept connections, and nothing else."""
    share = amount // PROCESSES
    spans = _together("bench.spark_engine.send_here", [(port, share, vault_id)] * PROCESSES, 300)
    return share * PROCESSES / (max(one.ended for one in spans) - min(one.began for one in spans))


def send_here(ready: fresh.Ready, port: int, amount: int, vault_id: int) -> Drained:
    """Runs in a process of its own; bodies are written beforehand."""
    _reach(port)
    bodies = [(message_id, _body(message_id)) for message_id in (uuid4() for _ in range(amount))]
    certificate = certificates.current()
    signer = Signer(certificate.certificate_id, certificates.private_key(certificate))
    began, ended = asyncio.run(_send_all(ready, bodies, vault_id, signer))
    return Drained(began, ended, psutil.Process().memory_info().rss / _MIB)


async def _send_all(
    ready: fresh.Ready, bodies: Sequence[tuple[UUID, bytes]], vault_id: int, signer: Signer
) -> tuple[float, float]:
    left = iter(bodies)
    async with AsyncDoor(limit=CONCURRENCY) as door:
        ready()
        began = time.monotonic()
        await asyncio.gather(*(_send(door, left, vault_id, signer) for _ in range(CONCURRENCY)))
        return began, time.monotonic()


async def _send(door: AsyncDoor, left: Iterator[tuple[UUID, bytes]], vault_id: int, signer: Signer) -> None:
    url = f"https://{HOST}/in/0"
    for message_id, body in left:
        envelope = Envelope(
            certificate_id=signer.certificate_id,
            execution_id=message_id,
            sent_at=clock.now(),
            request_id=message_id,
            request_type=SPARK_MESSAGE,
            url=url,
            vault_id=vault_id,
        )
        headers = envelope.headers()
        headers |= sign(headers, body, url=url, key=signer.key) | {"Content-Type": "application/json"}
        answer = await door.send("POST", url, body=body, headers=headers, deadline=POLICY.call)
        if answer.status != 200:
            raise BenchError(f"The receiver answered {answer.status}: {answer.error}")


def _body(message_id: UUID) -> bytes:
    now = clock.now()
    return SparkBody(
        vault_name="Messages",
        vault_host_name="messages.example.test",
        queue_name="bench__c",
        entered_at=now,
        sent_at=now,
        attempt=1,
        message_id=message_id,
        message=write_payload(ATTRIBUTES, ITEMS),
    ).write()


def _reach(port: int) -> None:
    settings.OUTBOUND_RESOLVE = f"{HOST}:443=127.0.0.1:{port}"


def _together(function: str, calls: Sequence[tuple[object, ...]], seconds: float) -> list[Drained]:
    done: list[Drained] = fresh.together(function, calls, seconds=seconds)
    return done
