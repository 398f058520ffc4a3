"""How a run on several workers is shared out: how many, what begins first, and which files stay on one worker."""

from __future__ import annotations

import os

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Their costly set-up, whole installations, happens once.
TOGETHER = {
    "tests/embedded/test_serve.py",
    "tests/embedded/test_services.py",
    "tests/flows/test_drill_sync.py",
    "tests/flows/test_two_installations.py",
}

# A browser is launched for a file. The tests of this one are long enough for one each.
_WITH_BROWSER, _LONG = "tests/browser/", "tests/browser/test_accessible.py"

# Minutes long, or with processes of their own: begun last, they would run on when the other workers are done.
FIRST = ("tests/flows/", _WITH_BROWSER, "tests/embedded/")


def workers() -> int:
    """One more than there are cores: a good part of the suite waits for processes, browsers and answers."""
    return (os.cpu_count() or 1) + 1


def turn(nodeid: str) -> int:
    """Where a test stands in the order: those with a lower number begin earlier, the rest stays as it is."""
    return next((place for place, folder in enumerate(FIRST) if nodeid.startswith(folder)), len(FIRST))


class WholeFiles(LoadScopeScheduling):
    """Those files as a whole, every other test by itself. Marks of groups do not reach this version's schedulers."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        whole = path in TOGETHER or (path.startswith(_WITH_BROWSER) and path != _LONG)
        return path if whole else nodeid


def scheduler(config: pytest.Config, log: Producer) -> WholeFiles:
    """The scheduler of a run on several workers."""
    return WholeFiles(config, log)
