"""Functions in fresh processes: nothing this process has loaded, cached or grown is in the way of the figure."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from bench import environment
from bench.errors import BenchError

Ready = Callable[[], None]


def together(function: str, calls: Sequence[tuple[Any, ...]], *, seconds: float, settings: str = "") -> list[Any]:
    """Call `function` (a dotted name) once per tuple of arguments, each in a process of its own, all at a time.

    The function gets a callable first, which it calls when it is prepared: it returns when all others are, too.
    `settings` names other Django settings than ours.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(calls))
    pipes = [context.Pipe(duplex=False) for _ in calls]
    processes = [
        context.Process(target=_enter, args=(function, pickle.dumps(arguments), barrier, sender, settings), daemon=True)
        for arguments, (_receiver, sender) in zip(calls, pipes, strict=True)
    ]
    try:
        for process, (_receiver, sender) in zip(processes, pipes, strict=True):
            process.start()
            # The child's end alone stays open, so that its death is noticed.
            sender.close()
        return [_result(receiver, function, seconds) for receiver, _sender in pipes]
    finally:
        for process in processes:
            process.join(timeout=5)
            process.kill()
            process.join()


def alone(function: str, *arguments: Any, seconds: float, settings: str = "") -> Any:
    """Call one function in one fresh process."""
    return together(function, [arguments], seconds=seconds, settings=settings)[0]


def _result(receiver: Connection, function: str, seconds: float) -> Any:
    if not receiver.poll(seconds):
        raise BenchError(f"{function} did not finish within {seconds:.0f} s.")
    try:
        done, value = receiver.recv()
    except EOFError:
        raise BenchError(f"The process of {function} ended without a result.") from None
    if not done:
        raise BenchError(f"{function} failed:\n{value}")
    return value


def _enter(function: str, pickled: bytes, barrier: Barrier, sender: Connection, settings: str) -> None:
    try:
        os.environ["DJANGO_SETTINGS_MODULE"] = settings or os.environ["DJANGO_SETTINGS_MODULE"]
        import django

        django.setup()
        environment.log_to_file()
        from django.utils.module_loading import import_string

        # Only now: the arguments may be of classes whose modules need Django.
        arguments = pickle.loads(pickled)
        value = import_string(function)(lambda: barrier.wait(120), *arguments)
    except BaseException:
        # Whatever ended it: the others must not wait for it, and the reason belongs to who asked.
        barrier.abort()
        sender.send((False, traceback.format_exc()))
    else:
        sender.send((True, value))
