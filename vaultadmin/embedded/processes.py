"""Children and strangers: starting a process that cannot outlive us, telling a living one from a zombie, ending it."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from vaultadmin.embedded.errors import EmbeddedError

_PR_SET_PDEATHSIG = 1
_POLL = 0.02


@dataclass(frozen=True)
class Identity:
    """The user a child runs as."""

    uid: int
    gid: int


def spawn(
    command: Sequence[str],
    *,
    output: int,
    environment: Mapping[str, str],
    folder: Path,
    identity: Identity | None = None,
    dies_with_parent: signal.Signals | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that a Ctrl-C at the terminal reaches only us and we choose the order.

    `dies_with_parent` is the signal Linux sends the child when the thread that calls this function ends, kill -9
    included; call it from the main thread.
    """
    try:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
            user=identity.uid if identity else None,
            group=identity.gid if identity else None,
            extra_groups=[] if identity else None,
            preexec_fn=_death_signal(dies_with_parent),
        )
    except OSError as error:
        raise EmbeddedError(f"{command[0]} cannot be started: {error.strerror or error}.") from error


def alive(pid: int) -> bool:
    """True for a process that runs; a zombie waits for its parent to read its exit status and serves nobody."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def working_in(folder: Path, name: str) -> list[psutil.Process]:
    """Living processes of this name whose working folder is this one."""
    found = []
    for process in psutil.process_iter(["name", "status"]):
        if process.info["name"] != name or process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        try:
            if Path(process.cwd()) == folder:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            continue
    return found


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Poll until the condition holds; False when the time is over first."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL)
    return True


def end(pids: Iterable[int], *, signals: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Send each signal in turn to those that still live and wait its grace; True when all are gone."""
    left = [pid for pid in pids if alive(pid)]
    for number, grace in signals:
        for pid in left:
            _signal(pid, number)
        wait_until(lambda: not any(alive(pid) for pid in left), seconds=grace)
        left = [pid for pid in left if alive(pid)]
        if not left:
            return True
    return not left


def reap(child: subprocess.Popen[bytes] | None) -> None:
    """Collect the exit status of an ended child of ours, so that it does not stay behind as a zombie."""
    if child is not None:
        child.poll()


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise EmbeddedError(
            f"Process {pid} of another user holds this data folder: stop it, or start as that user."
        ) from error


def _death_signal(number: signal.Signals | None) -> Callable[[], None] | None:
    if number is None or not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_kernel() -> None:
        # The parent may have died between fork and this line; then nobody would ever send the signal.
        if prctl(_PR_SET_PDEATHSIG, int(number)) != 0 or os.getppid() != parent:
            os._exit(1)

    return ask_kernel
