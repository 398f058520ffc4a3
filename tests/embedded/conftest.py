import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vaultadmin.embedded import fresh, paths, services

_CONFIGURED = ("DATABASE_URL", "REDIS_URL", "VAULTADMIN_REDIS_DATABASE")


@pytest.fixture
def data_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of its own, reachable by every user, removed with its servers at the end."""
    for name in _CONFIGURED:
        monkeypatch.delenv(name, raising=False)
    with own_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def running_dir() -> Iterator[Path]:
    """A data folder with both servers running, for tests that only look."""
    with pytest.MonkeyPatch.context() as environment, own_folder() as folder:
        for name in _CONFIGURED:
            environment.delenv(name, raising=False)
        with services(folder):
            yield folder


@contextmanager
def own_folder() -> Iterator[Path]:
    folder = Path(os.environ["VAULTADMIN_DATA_DIR"]) / secrets.token_hex(3)
    yield folder
    if (folder / "run" / "services.lock").exists():
        fresh.delete(paths(folder))
