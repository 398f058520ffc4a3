"""Children and strangers: starting a process that cannot outlive us, telling a living one from a zombie, ending it."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
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


def recorded_pid(file: Path) -> int | None:
    """The number in the first line of a pid file."""
    try:
        return int(file.read_text(encoding="utf-8").splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def works_in(pid: int | None, folder: Path) -> bool:
    """True when this process lives and its working folder is this one; numbers are given to others again."""
    if pid is None or not alive(pid):
        return False
    try:
        return Path(psutil.Process(pid).cwd()) == folder
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False


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


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = _POLL) -> bool:
    """Poll until the condition holds; False when the time is over first. `every` spares what is dear to ask."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)
    return True


def end(pids: Iterable[int], *, signals: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Send each signal in turn to those that still live and wait its grace; True when all are gone."""
    left = [pid for pid in pids if alive(pid)]

    def gone() -> bool:
        return not any(alive(pid) for pid in left)

    for number, grace in signals:
        for pid in left:
            if alive(pid):
                _signal(pid, number)
        if wait_until(gone, seconds=grace):
            return True
    return gone()


def group_members(group: int) -> list[int]:
    """Living processes of one process group, whatever became of its leader."""
    members = []
    for process in psutil.process_iter(["status"]):
        if process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        try:
            if os.getpgid(process.pid) == group:
                members.append(process.pid)
        except (ProcessLookupError, PermissionError):
            continue
    return members


def hand_over(child: subprocess.Popen[bytes] | None) -> None:
    """Leave a running child to others, and still collect its exit status should it end before us."""
    if child is not None and child.poll() is None:
        threading.Thread(target=child.wait, name=f"waits for {child.pid}", daemon=True).start()


def reap(child: subprocess.Popen[bytes] | None) -> None:
    """Collect the exit status of a child that has ended.

    A process with threads already shows as a zombie while the last of them leaves, hence the short wait.
    """
    if child is not None:
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=5)


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
