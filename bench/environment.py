"""The environment of a benchmark: the product as it ships, on a data folder and ports of its own.

Must be chosen before Django reads its settings.
"""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

from vaultadmin import environment

ROOT = environment.ROOT
RESULTS = ROOT / "bench" / "results"
# Settings of the installation at hand, or of the person's shell, must not leak into a figure.
_FOREIGN = ("VAULTADMIN_", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def data_root() -> Path:
    """Where benchmarks keep their servers: inside the data folder of the installation."""
    return environment.data_dir() / "bench"


def choose(name: str, *, data_dir: Path) -> None:
    """Point this process, and all it starts, at servers and a database that belong to one benchmark."""
    for variable in list(os.environ):
        if variable.startswith(_FOREIGN) or variable.lower() in _PROXIES:
            del os.environ[variable]
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "vaultadmin.settings",
        "VAULTADMIN_DATA_DIR": str(data_dir),
        "VAULTADMIN_DATABASE_NAME": f"bench_{name}",
        "PORT": str(free_ports(2)),
    }


def log_to_file() -> None:
    """Log lines of the product in this process: still written, but not between the figures. Needs Django set up."""
    from django.conf import settings

    file = Path(settings.DATA_DIR) / "bench.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(file.open("a", encoding="utf-8"))


def free_ports(amount: int) -> int:
    """The first of `amount` neighbouring ports of the loopback that are free now."""
    while True:
        probes = [socket.socket() for _ in range(amount)]
        try:
            probes[0].bind(("127.0.0.1", 0))
            first: int = probes[0].getsockname()[1]
            for offset, probe in enumerate(probes[1:], start=1):
                probe.bind(("127.0.0.1", first + offset))
        except (OSError, OverflowError):
            continue
        finally:
            for probe in probes:
                probe.close()
        return first
