import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from vaultadmin.embedded import fresh, paths


@pytest.fixture
def data_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of its own, reachable by every user, removed with its servers at the end."""
    for name in ("DATABASE_URL", "REDIS_URL", "VAULTADMIN_REDIS_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    folder = Path(os.environ["VAULTADMIN_DATA_DIR"]) / secrets.token_hex(3)
    yield folder
    if (folder / "run" / "services.lock").exists():
        fresh.delete(paths(folder))
