"""Name lookups that cannot hold anybody up.

The system's resolver blocks and knows no deadline, so each lookup runs in a daemon thread: the caller stops waiting
when its time is up, and a thread still stuck in the resolver keeps neither a request nor the process from ending.
"""

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, TypeAlias

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]

_MAX_LOOKUPS: Final = 64
_slots: Final = threading.BoundedSemaphore(_MAX_LOOKUPS)


class LookupFailed(Exception):
    """The name could not be resolved; the message is one sentence."""


def system_lookup(host: str, port: int) -> Sequence[str]:
    """Every address the operating system knows for a name, in its order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def begin_lookup(resolver: Resolver, host: str, port: int) -> Future[Sequence[str]]:
    """Start a lookup. The future holds at least one address, or LookupFailed."""
    if not _slots.acquire(blocking=False):
        raise LookupFailed("Too many name lookups are still waiting for an answer.")
    future: Future[Sequence[str]] = Future()
    # A running future cannot be cancelled, so the thread may always set its result.
    future.set_running_or_notify_cancel()
    threading.Thread(target=_look_up, args=(resolver, host, port, future), name="name-lookup", daemon=True).start()
    return future


def _look_up(resolver: Resolver, host: str, port: int, future: Future[Sequence[str]]) -> None:
    try:
        found = resolver(host, port)
        if not found:
            raise LookupFailed(f"The name {host} has no address.")
    except LookupFailed as error:
        future.set_exception(error)
    except OSError as error:
        failure = LookupFailed(f"The name {host} could not be resolved: {error.strerror or error}.")
        failure.__cause__ = error
        future.set_exception(failure)
    except BaseException as error:  # handed to the waiting caller, who raises it
        future.set_exception(error)
    else:
        future.set_result(found)
    finally:
        _slots.release()
