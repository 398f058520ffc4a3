"""Which test files run on one worker, so that their costly set-up (whole installations) happens once."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "tests/embedded/test_serve.py",
    "tests/embedded/test_services.py",
    "tests/flows/test_drill_sync.py",
    "tests/flows/test_two_installations.py",
}


class WholeFiles(LoadScopeScheduling):
    """Those files as a whole, every other test by itself. Marks of groups do not reach this version's schedulers."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        return path if path in TOGETHER else nodeid


def scheduler(config: pytest.Config, log: Producer) -> WholeFiles:
    """The scheduler of a run on several workers."""
    return WholeFiles(config, log)
