"""Keeps the children of one installation running: starts them, restarts what falls, stops all of them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil

from vaultadmin.embedded.errors import EmbeddedError
from vaultadmin.embedded.folders import open_log
from vaultadmin.embedded.paths import Paths
from vaultadmin.embedded.processes import end, group_members, reap, spawn

_MARK = "VAULTADMIN_SUPERVISED"
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_STEADY_AFTER = 60.0
# A Celery worker ends its tasks on the first signal and breaks them off on the second: ticks find what is left.
_STOP = ((signal.SIGTERM, 10.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 5.0))
_KILL = ((signal.SIGKILL, 5.0),)


@dataclass
class _Child:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = _FIRST_PAUSE
    due: float = 0.0


class Supervisor:
    """The children of one data folder. Use from the main thread: children end when the thread that made them does."""

    def __init__(
        self, layout: Paths, *, folder: Path, environment: Mapping[str, str], tell: Callable[[str], None]
    ) -> None:
        self._layout = layout
        self._folder = folder
        self._environment = {**environment, _MARK: str(layout.data)}
        self._tell = tell
        self._children: list[_Child] = []

    def clear_leftovers(self) -> None:
        """End children of an earlier supervisor that was killed before it could stop them.

        Call while holding the lock that makes this the only supervisor of the data folder: then every process that
        carries the mark is nobody's.
        """
        left = [process.pid for process in psutil.process_iter() if self._is_leftover(process)]
        if not end(left, signals=_STOP):
            raise EmbeddedError(f"Process {left[0]} of an earlier start cannot be stopped: end it first.")

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a child and answer for it from now on."""
        child = _Child(name, command)
        self._children.append(child)
        self._launch(child)

    def pids(self) -> dict[str, int | None]:
        """The living process of each child by name; None for one that is down."""
        return {child.name: _living_pid(child) for child in self._children}

    def check(self) -> None:
        """Restart children that have ended, each after a pause that grows while it keeps falling."""
        now = time.monotonic()
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._bury(child, now=now)
            if child.process is None and now >= child.due:
                self._launch(child)

    def stop(self) -> None:
        """Ask every child to end, insist, and return when no process of any of them is left."""
        processes = [child.process for child in self._children if child.process is not None]
        end([process.pid for process in processes], signals=_STOP)
        for process in processes:
            _end_group(process)
        self._children.clear()

    def _launch(self, child: _Child) -> None:
        with closing(os.fdopen(open_log(self._layout.log(child.name)), "wb")) as log:
            child.process = spawn(
                child.command,
                output=log.fileno(),
                environment=self._environment,
                folder=self._folder,
                dies_with_parent=signal.SIGTERM,
            )
        child.started = time.monotonic()

    def _bury(self, child: _Child, *, now: float) -> None:
        if child.process is None:
            return
        _end_group(child.process)
        child.pause = _FIRST_PAUSE if now - child.started > _STEADY_AFTER else min(child.pause * 2, _LONGEST_PAUSE)
        child.due = now + child.pause
        ending, log = _ending(child.process.returncode), self._layout.log(child.name)
        self._tell(f"{child.name} ended ({ending}) and starts again in {child.pause:.0f} s; its log is {log}")
        child.process = None

    def _is_leftover(self, process: psutil.Process) -> bool:
        if process.pid == os.getpid():
            return False
        try:
            return bool(process.environ().get(_MARK) == str(self._layout.data))
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            return False


def _living_pid(child: _Child) -> int | None:
    return child.process.pid if child.process is not None and child.process.poll() is None else None


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """A parent that was killed may leave children of its own that still hold a port or a task."""
    end(group_members(process.pid), signals=_KILL)
    reap(process)


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"
