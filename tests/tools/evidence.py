"""Goals of the security promises as tests: small seeded counts in `make test`, full ones in `make evidence`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

FOLDER = os.environ.get("VAULTADMIN_EVIDENCE", "")


@dataclass(frozen=True)
class Goal:
    """One goal: how much to try, and the line that says what came out."""

    id: str

    def count(self, *, small: int, full: int) -> int:
        return full if FOLDER else small

    def reached(self, *, figure: object, target: object, ok: bool) -> None:
        """Write the goal's line when evidence is asked for, and fail the test when it was not reached."""
        line = {"id": self.id, "figure": figure, "target": target, "pass": ok}
        if FOLDER:
            folder = Path(FOLDER)
            folder.mkdir(parents=True, exist_ok=True)
            stamp = datetime.now(UTC).isoformat(timespec="seconds")
            with (folder / "goals.jsonl").open("a") as file:
                file.write(json.dumps(line | {"at": stamp}) + "\n")
        assert ok, line


@pytest.fixture
def goal() -> Callable[[str], Goal]:
    return Goal
