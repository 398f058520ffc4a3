"""The installation the drills work on: the demo company without its background noise, and runs with slow answers."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from tests.embedded.conftest import own_folder
from tests.tools.installation import Browser, Installation
from vaultadmin.embedded.processes import wait_until
from vaultadmin.site.demo import world

STUDY_ROWS = """
SELECT p.internal_id, p.participant_id FROM ecoa_serviceparticipant p
  JOIN ecoa_servicestudy s ON s.id = p.study_id
 WHERE s.external_id = %s AND p.internal_id LIKE %s
"""


@contextmanager
def installation() -> Iterator[Installation]:
    with own_folder() as folder:
        folder.mkdir(parents=True, exist_ok=True)
        running = Installation(folder)
        try:
            running.start()
            running.manage("demo")
            # Read now: nobody can run a command while an engine is kept down.
            assert running.credentials
            yield running
        finally:
            running.end()


def administrator(running: Installation) -> Browser:
    """The demo's administrator, signed in."""
    browser = Browser(running.port)
    login = world.ADMIN.email
    assert browser.sign_in(login, running.credentials["logins"][login]) == 302
    return browser


def start_run(running: Installation, prefix: str, amount: int, *, attached: bool = False) -> int:
    """Bring `amount` new participants in and plan a run of them; returns its number."""
    rows = [f"{site},{value},{internal}" for internal, (site, value) in wanted(prefix, amount).items()]
    with tempfile.NamedTemporaryFile("w", suffix=".csv", dir=running.folder.parent) as file:
        file.write("\n".join(["site,participantId,internalId", *rows]) + "\n")
        file.flush()
        said = running.manage(
            *("sync_participants", "--vault", str(world.ECOA_VAULT), "--connection", world.ECOA_CONNECTION),
            *("--study", world.STUDY_ID, "--file", file.name, "--json"),
            attached=attached,
        ).stdout
    return int(json.loads(said)["run"])


def wanted(prefix: str, amount: int) -> dict[str, tuple[str, str]]:
    """internal id → (site, participant id)."""
    places = list(world.SITES)
    return {
        f"{prefix}-{number:05}": (places[number % len(places)], f"{prefix.upper()}-{number:05}")
        for number in range(amount)
    }


def slow_down(running: Installation, prefix: str, seconds: float) -> None:
    """Every write of these participants takes its time, so that a drill has a run to fall into."""
    for region in set(world.SITES.values()):
        running.rows(
            "INSERT INTO ecoa_servicefault (region, call, kind, remaining, internal_id_prefix, hold_seconds)"
            " VALUES (%s, 'post', 'hang', 1000000, %s, %s)",
            region,
            prefix,
            seconds,
        )


def speed_up(running: Installation, prefix: str) -> None:
    running.rows("DELETE FROM ecoa_servicefault WHERE internal_id_prefix = %s", prefix)


def run_state(running: Installation, run: int) -> dict[str, object]:
    names = ("state", "total", "synced", "rejected", "unknown", "dropped")
    row = running.rows(f"SELECT {', '.join(names)} FROM ecoa_syncrun WHERE id = %s", run)[0]
    return dict(zip(names, row, strict=True))


def settled(running: Installation, run: int) -> int:
    return int(running.rows("SELECT count(*) FROM ecoa_syncitem WHERE run_id = %s AND due_at IS NULL", run)[0][0])


def wait_for_end(running: Installation, run: int, *, seconds: float = 180) -> dict[str, object]:
    """Wait until a run is over; what it counted."""

    def over() -> bool:
        with suppress(psycopg.OperationalError):
            return run_state(running, run)["state"] in ("finished", "cancelled")
        return False

    wait_until(over, seconds=seconds)
    return run_state(running, run)


def judged(running: Installation, prefix: str, amount: int) -> dict[str, int]:
    """The ledger of the service itself: who is missing, there twice, or there with another value."""
    there = running.rows(STUDY_ROWS, world.STUDY_ID, f"{prefix}-%")
    right = {internal: value for internal, (_site, value) in wanted(prefix, amount).items()}
    return {
        "lost": len(right.keys() - {internal for internal, _value in there}),
        "doubled": len(there) - len({internal for internal, _value in there}),
        "wrong": sum(right.get(internal) != value for internal, value in there),
    }


NOTHING_WRONG = {"lost": 0, "doubled": 0, "wrong": 0}


class Killer:
    """Kills one kind of process at a time, in a seeded order."""

    def __init__(self, running: Installation, *, seed: int) -> None:
        self.running, self.random = running, random.Random(seed)
        self.done: list[str] = []

    def order(self, **times: int) -> list[str]:
        kinds = [kind for kind, number in times.items() for _ in range(number)]
        self.random.shuffle(kinds)
        return kinds

    def kill(self, kind: str) -> None:
        """SIGKILL to a random process of this kind, once one lives."""
        assert wait_until(lambda: bool(self._pids(kind)), seconds=90), f"no {kind} came back"
        with suppress(ProcessLookupError):
            os.kill(self.random.choice(self._pids(kind)), signal.SIGKILL)
        self.done.append(kind)

    def pause(self, seconds: float) -> None:
        """Let the others work for a moment of chance."""
        wait_until(lambda: False, seconds=self.random.uniform(0.3, 1.0) * seconds)

    def _pids(self, kind: str) -> list[int]:
        if kind in ("postgres", "redis"):
            pid = self.running.engine(kind)
            return [pid] if pid else []
        words = {
            "worker": ("celery", "worker"),
            "sync_worker": ("celery", "worker", "sync"),
            "beat": ("celery", "beat"),
            "web": ("granian",),
        }
        return [process.pid for process in self.running.children(*words[kind])]
