"""Who used the machine while a benchmark ran, and how much memory a process ever held."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

_HIGH_WATER = "VmHWM:"


class Meter:
    """Use as a context manager. Afterwards `foreign` is the share of all cores that others used meanwhile, `ours` the
    CPU seconds of this process and all it started, and `seconds_of` those of each of our roles (a role is a process
    with everything it started)."""

    def __init__(self, roles: Mapping[str, int | None] | None = None) -> None:
        self._roles = {name: pid for name, pid in (roles or {}).items() if pid is not None}
        self.foreign = self.ours = 0.0
        self.seconds_of: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._at = time.monotonic()
        self._busy, self._spent = _machine_seconds(), _tree_seconds(os.getpid())
        self._before = {name: _tree_seconds(pid) for name, pid in self._roles.items()}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        capacity = (time.monotonic() - self._at) * cores()
        busy, self.ours = _machine_seconds() - self._busy, _tree_seconds(os.getpid()) - self._spent
        self.foreign = max(0.0, busy - self.ours) / capacity if capacity else 0.0
        self.seconds_of = {name: _tree_seconds(pid) - self._before[name] for name, pid in self._roles.items()}


def cores() -> int:
    """How many processors there are to share."""
    return psutil.cpu_count() or 1


def machine(foreign: float) -> dict[str, Any]:
    """What a figure was measured on; names nobody's computer."""
    return {
        "cpus": cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "foreign_cpu": round(foreign, 3),
    }


def peak_memory_mb() -> float:
    """The most memory this process ever held, in megabytes of a million bytes.

    Linux hands `ru_maxrss` on from the process that started this one, so its own high-water mark is read instead.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith(_HIGH_WATER):
                return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _machine_seconds() -> float:
    # Interrupts are left out: the kernel books the loopback's own network work there, not on our processes.
    times = psutil.cpu_times()
    return float(times.user + times.system + getattr(times, "nice", 0.0) + getattr(times, "steal", 0.0))


def _tree_seconds(pid: int) -> float:
    """CPU seconds of a process and all it started; those that ended are in the books of who waited for them."""
    try:
        top = psutil.Process(pid)
        family = [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(_own_seconds(process) for process in family)


def _own_seconds(process: psutil.Process) -> float:
    try:
        return float(sum(process.cpu_times()[:4]))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
