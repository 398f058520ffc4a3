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
from tests.tools import planting
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
        running = Installation(folder)
        planting.plant(running)
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
        # A study has one open run, and those that ask about what is in doubt begin by themselves.
        wait_until(lambda: not running.rows(OPEN_RUNS), seconds=120)
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


def arm_everything(running: Installation, *, seed: int) -> None:
    """Everything the fault board can do, at 20 % each, in every region and call."""
    running.manage("shell", "-c", f"{_BOARD}; faults.play('everything_at_20', seed={seed}, by=BY)")


def arm_mildly(running: Installation, prefix: str) -> None:
    """2 % faults and 1 % replies that are lost, and a 429 now and then."""
    kinds = {"error_500": 1.0, "html": 0.5, "close": 0.5, "drop_reply": 1.0, "rate_limit": 0.2}
    for region in set(world.SITES.values()):
        for seed, (kind, share) in enumerate(kinds.items()):
            running.rows(
                "INSERT INTO ecoa_servicefault (region, call, kind, remaining, internal_id_prefix, hold_seconds, share,"
                " seed) VALUES (%s, 'post', %s, NULL, %s, 1, %s, %s)",
                *(region, kind, prefix, share, seed),
            )


def injected(running: Installation) -> dict[str, int]:
    """How often each kind of fault a drill armed met a call."""
    return {kind: int(times) for kind, times in running.rows(INJECTED, _SEEDED)}


def disarm(running: Installation) -> None:
    """The board is empty again."""
    running.rows("DELETE FROM ecoa_servicefault WHERE internal_id_prefix NOT LIKE %s", _SEEDED)


def see_through(running: Installation, run: int, prefix: str, *, seconds: float) -> None:
    """Wait until the run is over, and retry what it could not bring over until everybody is in eCOA."""
    wait_for_end(running, run, seconds=seconds)
    for _ in range(8):
        if not left_over(running, prefix):
            return
        # What goes on by itself (runs that ask) may hold the study for a moment.
        wait_until(lambda: not running.rows(OPEN_RUNS), seconds=60)
        administrator(running).post(f"/v/{world.ECOA_VAULT}/ecoa/runs/{run}/retry/", {})
        newest = int(running.rows("SELECT max(id) FROM ecoa_syncrun")[0][0])
        wait_for_end(running, newest, seconds=seconds)


def left_over(running: Installation, prefix: str) -> int:
    """Participants our side does not hold for confirmed."""
    rows = running.rows(
        "SELECT count(*) FROM ecoa_participant WHERE internal_id LIKE %s AND status <> 'synced'", f"{prefix}-%"
    )
    return int(rows[0][0])


def reasons_left(running: Installation, prefix: str) -> dict[str, int]:
    """Why they are left over: how many by status and code."""
    rows = running.rows(
        "SELECT status || ' ' || code, count(*) FROM ecoa_participant"
        " WHERE internal_id LIKE %s AND status <> 'synced' GROUP BY 1",
        f"{prefix}-%",
    )
    return {reason: int(number) for reason, number in rows}


def claims_that_do_not_hold(running: Installation, prefix: str) -> int:
    """Participants our side calls synced that the service holds with another value, or not at all."""
    return int(running.rows(FALSE_CLAIMS, f"{prefix}-%")[0][0])


def without_evidence(running: Installation, prefix: str) -> int:
    """Participants of whom no closed try says how the outcome came to be known."""
    return int(running.rows(NO_EVIDENCE, f"{prefix}-%")[0][0])


# The demo's own fault, which is no part of a drill.
_SEEDED = "service-fails-%"
INJECTED = """
SELECT kind, sum(injected) FROM ecoa_servicefault WHERE internal_id_prefix NOT LIKE %s
 GROUP BY kind HAVING sum(injected) > 0
"""
OPEN_RUNS = "SELECT 1 FROM ecoa_syncrun WHERE state IN ('planned', 'running', 'paused')"
FALSE_CLAIMS = """
SELECT count(*) FROM ecoa_participant p LEFT JOIN ecoa_serviceparticipant s ON s.internal_id = p.internal_id
 WHERE p.internal_id LIKE %s AND p.status = 'synced'
   AND (s.id IS NULL OR s.participant_id <> p.participant_id
        OR s.my_veeva_participant_id::text <> p.my_veeva_participant_id)
"""
NO_EVIDENCE = """
SELECT count(*) FROM ecoa_participant p
 WHERE p.internal_id LIKE %s AND NOT EXISTS (
       SELECT 1 FROM ecoa_attempt a WHERE a.participant_id = p.id AND a.outcome = 'synced' AND a.ended_at IS NOT NULL)
"""
_BOARD = "from ecoa.service import faults; from vaultadmin import audit; BY = audit.System('Drill')"


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


# Counted on nothing that a busy machine takes longer for: what does not come back at all is what fails a drill.
_BACK_SECONDS = 300


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
        back = wait_until(lambda: bool(self._pids(kind)), seconds=_BACK_SECONDS, every=0.2)
        assert back, f"no {kind} came back: {self.running.said()}"
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
            "sender": ("celery", "worker", "delivery"),
            "sync_worker": ("celery", "worker", "sync"),
            "beat": ("celery", "beat"),
            "web": ("granian",),
        }
        return [process.pid for process in self.running.children(*words[kind])]
