import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

import psutil
import psycopg
import pytest

from tests.embedded.conftest import own_folder
from tests.embedded.probes import ROOT, pids, query
from tests.embedded.test_serve import Serving
from tests.tools.engines import free_port_pair
from vaultadmin.embedded.processes import wait_until
from vaultadmin.site.demo import world

pytestmark = pytest.mark.xdist_group("serve")

AMOUNT = 4000


@pytest.fixture
def serving(monkeypatch, tmp_path):
    for name in ("DATABASE_URL", "REDIS_URL", "VAULTADMIN_REDIS_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    with own_folder() as folder:
        running = Serving(folder, port=free_port_pair(), log=tmp_path / "serve.log").wait_until_up()
        yield running
        running.end(signal.SIGTERM)


def manage(serving, *arguments):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("VAULTADMIN_")}
    environment |= {"VAULTADMIN_DATA_DIR": str(serving.folder), "PORT": str(serving.port)}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def sync_workers(folder):
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("VAULTADMIN_SUPERVISED") == str(folder) and "worker" in process.cmdline():
                yield process.pid


def kill(serving, what):
    victims = list(sync_workers(serving.folder)) if what == "workers" else [pids(serving.folder)[what]]
    for pid in victims:
        with suppress(ProcessLookupError, TypeError):
            os.kill(pid, signal.SIGKILL)


def asked(serving, statement):
    """The answer, or nothing while the database is away."""
    try:
        return query(serving.folder, statement)
    except psycopg.OperationalError:
        return []


def done_of(serving, run):
    rows = asked(serving, f"SELECT synced + rejected + unknown, state FROM ecoa_syncrun WHERE id = {run}")
    return rows[0] if rows else (0, "")


def test_run_finishes_though_workers_redis_and_database_are_killed(serving, tmp_path):
    manage(serving, "demo")
    path = tmp_path / "participants.csv"
    rows = [f"{('1005', '2001')[n % 2]},drill-{n},drill-internal-{n}" for n in range(AMOUNT)]
    path.write_text("\n".join(["site,participantId,internalId", *rows]))
    place = ("--vault", str(world.ECOA_VAULT), "--connection", world.ECOA_CONNECTION, "--study", world.STUDY_ID)
    run = json.loads(manage(serving, "sync_participants", *place, "--file", str(path), "--json"))["run"]

    states = []
    for victim, after in (("workers", 1), ("redis", 800), ("postgres", 1600), ("workers", 2400)):
        wait_until(lambda after=after: done_of(serving, run)[0] >= after, seconds=120)
        states.append(done_of(serving, run)[1])
        kill(serving, victim)
    assert states[0] == "running"
    wait_until(lambda: done_of(serving, run)[1] == "finished", seconds=180)

    counts = query(serving.folder, f"SELECT total, synced, rejected, unknown FROM ecoa_syncrun WHERE id = {run}")
    assert counts == [(AMOUNT, AMOUNT, 0, 0)]
    stored = query(
        serving.folder,
        "SELECT count(*), count(DISTINCT internal_id), count(DISTINCT participant_id) FROM ecoa_serviceparticipant"
        " WHERE internal_id LIKE 'drill-internal-%'",
    )
    assert stored == [(AMOUNT, AMOUNT, AMOUNT)]
