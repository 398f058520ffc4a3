"""Values that are expensive to ask for and good for a while: regions and tokens.

`ExpiringStore` outlives one drain and is shared by the threads of a process. `SingleFlight` belongs to one event loop
and makes sure that a hundred participants waiting for the same answer ask for it once; it also remembers a failure
for a moment, so that a refused sign-in is not repeated per participant.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar

from ecoa.client.errors import EcoaError

V = TypeVar("V")


class ExpiringStore(Generic[V]):
    """A bounded, thread-safe mapping whose values end."""

    def __init__(self, *, now: Callable[[], float], size: int = 10_000) -> None:
        self._now = now
        self._size = size
        self._lock = threading.Lock()
        self._values: dict[Hashable, tuple[float, V]] = {}

    def get(self, key: Hashable) -> V | None:
        """The value, or None when there is none or its time is over."""
        kept = self._values.get(key)
        return kept[1] if kept is not None and kept[0] > self._now() else None

    def put(self, key: Hashable, value: V, *, until: float) -> None:
        """Keep a value until a moment; the oldest entry leaves when the store is full."""
        with self._lock:
            self._values.pop(key, None)
            if len(self._values) >= self._size:
                self._values.pop(next(iter(self._values)))
            self._values[key] = (until, value)

    def drop(self, key: Hashable, value: V) -> None:
        """Forget this very value; a newer one somebody put meanwhile stays."""
        with self._lock:
            kept = self._values.get(key)
            if kept is not None and kept[1] == value:
                del self._values[key]


class SingleFlight:
    """One call per key at a time within one event loop; a failure stands for `failure_ttl` seconds."""

    def __init__(self, *, now: Callable[[], float], permanent_ttl: float = 30.0, retryable_ttl: float = 1.0) -> None:
        self._now = now
        self._permanent_ttl = permanent_ttl
        self._retryable_ttl = retryable_ttl
        self._flights: dict[Hashable, asyncio.Future[Any]] = {}
        self._failures: dict[Hashable, tuple[float, EcoaError]] = {}
        self._claimed: set[Hashable] = set()

    def claim(self, key: Hashable) -> bool:
        """True for the first who claims `key`, False for everybody after."""
        is_free = key not in self._claimed
        self._claimed.add(key)
        return is_free

    async def do(self, key: Hashable, ask: Callable[[], Awaitable[V]]) -> V:
        """The answer of `ask`, asked once for everybody who waits for `key`."""
        failed = self._failures.get(key)
        if failed is not None and failed[0] > self._now():
            raise _again(failed[1])
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.ensure_future(self._fly(key, ask))
        try:
            # Shielded: one participant that runs out of time must not cancel the answer for the others.
            result: V = await asyncio.shield(flight)
        except EcoaError as error:
            raise _again(error) from None
        return result

    def fail(self, key: Hashable, error: EcoaError) -> None:
        """Let everybody who asks for `key` fail with this error for a while."""
        ttl = self._retryable_ttl if error.retryable else self._permanent_ttl
        self._failures[key] = (self._now() + ttl, error)

    async def _fly(self, key: Hashable, ask: Callable[[], Awaitable[V]]) -> V:
        try:
            return await ask()
        except EcoaError as error:
            self.fail(key, error)
            raise
        finally:
            del self._flights[key]


def _again(error: EcoaError) -> EcoaError:
    """A copy of a shared error: each participant notes its own stage on it."""
    copy = error.__class__.__new__(error.__class__)
    copy.__dict__.update(error.__dict__)
    copy.args = error.args
    return copy
