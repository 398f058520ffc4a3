"""The engines of a test run: one PostgreSQL and one Redis; every pytest process has databases of its own in them."""

import os
import socket
from pathlib import Path

import pytest
from django.conf import settings

from vaultadmin.embedded import Services

ROOT = Path(__file__).resolve().parents[2]
_MARK = "VAULTADMIN_TEST_RUN"


def choose_environment() -> None:
    """Name the test data folder, ports and Redis database. Must run before Django reads its settings."""
    if settings.configured:
        raise pytest.UsageError("Unset DJANGO_SETTINGS_MODULE: the tests choose their own data folder before settings.")
    if _MARK not in os.environ:
        os.environ[_MARK] = "1"
        base = (ROOT / os.environ.get("VAULTADMIN_DATA_DIR", ".data")).resolve()
        os.environ["VAULTADMIN_DATA_DIR"] = str(base / "test")
        for name in ("VAULTADMIN_PRODUCTION", "VAULTADMIN_DATABASE_NAME"):
            os.environ.pop(name, None)
        if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
            # Not beside the sources, then: without compiled files each process a test starts compiles them all anew.
            os.environ["PYTHONPYCACHEPREFIX"] = str(base / "test" / "compiled")
    os.environ["DJANGO_SETTINGS_MODULE"] = "vaultadmin.settings"
    os.environ["PORT"] = str(free_port_pair())
    number = _worker_number()
    os.environ["VAULTADMIN_REDIS_DATABASE"] = str(number)
    if url := os.environ.get("REDIS_URL"):
        os.environ["REDIS_URL"] = url.rsplit("/", 1)[0] + f"/{number}" if "://" in url else url


def hide_settings_from_workers() -> None:
    """With the variable in their environment, pytest-django would load settings before each worker chose its own."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def start(config: pytest.Config) -> None:
    """Start the engines in the controller, or in the only process; workers find them running."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    running = Services(os.environ["VAULTADMIN_DATA_DIR"], tied=True)
    running.start()
    config.add_cleanup(running.stop)
    # Pages name hashed files; imported here because it reads settings. Workers find the folder filled.
    from vaultadmin.static_files import collect_if_changed

    collect_if_changed()


def free_port_pair() -> int:
    """A port that is free and whose successor is, too: plain http on the first, TLS on the second."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def _worker_number() -> int:
    """1 for the only process, 2 and up for the workers gw0, gw1, …"""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return int(worker.removeprefix("gw")) + 2 if worker else 1
