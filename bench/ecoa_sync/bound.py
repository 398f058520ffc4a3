"""The limit: the same posts through the same door from as many processes, with nothing kept on our side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

from bench import fresh
from bench.ecoa_sync.loops import Service, token
from bench.errors import BenchError
from bench.world import HOST, World
from ecoa import contract
from ecoa.contract import ParticipantExternalPostRequest
from ecoa.sync.policy import POLICY
from vaultadmin.outbound import AsyncDoor

# Address, Authorization header and body of one post.
Post = tuple[str, str, bytes]


def rate(world: World, service: Service, people: Sequence[tuple[str, str]]) -> float:
    """Participants per second that arrive when nobody writes anything down."""
    posts = list(_posts(world, service, people))
    shares = [(posts[number :: POLICY.lanes],) for number in range(POLICY.lanes)]
    spans: list[tuple[float, float]] = fresh.together("bench.ecoa_sync.bound.send_all", shares, seconds=120)
    return len(posts) / (max(ended for _, ended in spans) - min(started for started, _ in spans))


def send_all(ready: fresh.Ready, posts: Sequence[Post]) -> tuple[float, float]:
    """Runs in a process of its own; returns when it began and ended, on the machine's one monotonic clock."""
    return asyncio.run(_send_all(ready, posts))


async def _send_all(ready: fresh.Ready, posts: Sequence[Post]) -> tuple[float, float]:
    left = iter(posts)
    async with AsyncDoor(limit=POLICY.concurrency) as door:
        ready()
        started = time.monotonic()
        await asyncio.gather(*(_send(door, left) for _ in range(POLICY.concurrency)))
        return started, time.monotonic()


async def _send(door: AsyncDoor, left: Iterator[Post]) -> None:
    for url, authorization, body in left:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Authorization": authorization}
        answer = await door.send("POST", url, body=body, headers=headers)
        if answer.status != 200 or b'"SUCCESS"' not in answer.body:
            raise BenchError(f"The service answered {answer.status}: {answer.error or answer.body[:200]!r}")


def _posts(world: World, service: Service, people: Sequence[tuple[str, str]]) -> Iterator[Post]:
    places = [token(world, service, site) for site in world.sites]
    for number, (participant_id, internal_id) in enumerate(people):
        path, authorization = places[number % len(places)]
        request = ParticipantExternalPostRequest(participantId=participant_id, internalId=internal_id)
        yield f"https://{HOST}{path}", authorization, contract.write(request)
