"""Functions in fresh processes: nothing this process has loaded, cached or grown is in the way of the figure."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from bench import environment
from bench.errors import BenchError

Ready = Callable[[], None]


def together(function: str, calls: Sequence[tuple[Any, ...]], *, seconds: float) -> list[Any]:
    """Call `function` (a dotted name) once per tuple of arguments, each in a process of its own, all at a time.

    The function gets a callable first, which it calls when it is prepared: it returns when all others are, too.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(calls))
    pipes = [context.Pipe(duplex=False) for _ in calls]
    processes = [
        context.Process(target=_enter, args=(function, arguments, barrier, sender), daemon=True)
        for arguments, (_receiver, sender) in zip(calls, pipes, strict=True)
    ]
    try:
        for process in processes:
            process.start()
        return [_result(receiver, function, seconds) for receiver, _sender in pipes]
    finally:
        for process in processes:
            process.join(timeout=5)
            process.kill()
            process.join()


def alone(function: str, *arguments: Any, seconds: float) -> Any:
    """Call one function in one fresh process."""
    return together(function, [arguments], seconds=seconds)[0]


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


def _enter(function: str, arguments: tuple[Any, ...], barrier: Barrier, sender: Connection) -> None:
    try:
        import django

        django.setup()
        environment.log_to_file()
        from django.utils.module_loading import import_string

        value = import_string(function)(lambda: barrier.wait(120), *arguments)
    except BaseException:
        # Whatever ended it: the others must not wait for it, and the reason belongs to who asked.
        barrier.abort()
        sender.send((False, traceback.format_exc()))
    else:
        sender.send((True, value))
