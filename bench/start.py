"""How long a start takes until `/readyz` says yes: the first on an empty data folder, and the later ones."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from bench import environment
from bench.errors import BenchError
from bench.meter import Meter, machine
from bench.report import Goal, Result, Row
from vaultadmin import embedded
from vaultadmin.embedded import fresh as data_folder
from vaultadmin.embedded import ports
from vaultadmin.embedded.folders import last_words
from vaultadmin.embedded.processes import wait_until

_READY_SECONDS = 150
_STOP_SECONDS = 60


def run(*, full: bool) -> Result:
    """One first start and some later ones, each of the whole product with the demo world."""
    started = time.monotonic()
    folder = Path(settings.DATA_DIR) / "start"
    _forget(folder)
    try:
        with Meter() as meter:
            first = start(folder)
            servers = [start_servers(folder) for _ in range(3)]
            later = [start(folder) for _ in range(5 if full else 2)]
    finally:
        _forget(folder)
    second, limit = statistics.median(later), statistics.median(servers)
    return Result(
        name="start",
        value=second,
        unit="s",
        limit=limit,
        ratio=second / limit,
        ratios={"servers_alone": second / limit},
        n=len(later),
        seconds=time.monotonic() - started,
        machine=machine(meter.foreign),
        rows=[
            Row("first start", [first], "s", "empty data folder to ready, demo loaded; without pip install"),
            Row("servers alone", servers, "s", "PostgreSQL and Redis on the existing folder"),
            Row("second start", later, "s", "to /readyz 200"),
        ],
        goals=[
            Goal("second start to ready, seconds", max(later), 10, at_most=True),
            Goal("first start to ready without pip install, seconds", first, 180, at_most=True),
        ],
    )


def start(folder: Path) -> float:
    """Seconds from `manage.py serve` to ready; the product is stopped again before this returns."""
    port = environment.free_ports(2)
    with _serving(folder, port) as product:
        started = time.monotonic()
        up = wait_until(lambda: product.poll() is not None or ports.readiness(port)[0], seconds=_READY_SECONDS)
        taken = time.monotonic() - started
        if not up or product.poll() is not None:
            raise BenchError(f"The product was not ready in time: {last_words(_log(folder))}")
    return taken


def start_servers(folder: Path) -> float:
    """The limit: seconds until the two servers alone answer."""
    started = time.monotonic()
    with embedded.services(folder):
        return time.monotonic() - started


@contextmanager
def _serving(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    surroundings = {**os.environ, "VAULTADMIN_DATA_DIR": str(folder), "PORT": str(port)}
    surroundings.pop("VAULTADMIN_DATABASE_NAME", None)
    with _log(folder).open("wb") as log:
        product = subprocess.Popen(
            [sys.executable, "manage.py", "serve"], cwd=environment.ROOT, env=surroundings, stdout=log, stderr=log
        )
    try:
        yield product
    finally:
        product.send_signal(signal.SIGTERM)
        try:
            product.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # Its children end with it.
            product.kill()
            product.wait()
            raise BenchError(f"The product did not stop within {_STOP_SECONDS} s.") from None


def _log(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.log")


def _forget(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        data_folder.delete(embedded.paths(folder))
