"""Starting engines again that fell, for as long as it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from vaultadmin.embedded.errors import EmbeddedError

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


class Fallible(Protocol):
    """What can be mended: the servers of one data folder."""

    def fallen(self) -> bool: ...
    def mend(self) -> list[str]: ...


class Mender:
    """Looks after the engines of an installation that runs.

    One that cannot be brought back now, on a machine that is out of breath or of disk, is no reason to end what serves
    people: it is told, and tried again after a pause that grows.
    """

    def __init__(
        self, servers: Fallible, *, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._servers, self._tell, self._clock = servers, tell, clock
        self._pause, self._due = _FIRST_PAUSE, 0.0

    def check(self) -> list[str]:
        """Start what has fallen, and return the names of what runs again."""
        if self._clock() < self._due or not self._servers.fallen():
            return []
        try:
            names = self._servers.mend()
        except (EmbeddedError, OSError) as error:
            self._put_off(error)
            return []
        self._pause = _FIRST_PAUSE
        return names

    def _put_off(self, error: Exception) -> None:
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        self._due = self._clock() + self._pause
        self._tell(f"{error} It is tried again in {self._pause:.0f} s.")
