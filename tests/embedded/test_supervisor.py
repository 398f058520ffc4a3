import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vaultadmin.embedded import paths
from vaultadmin.embedded.processes import alive, group_members, wait_until
from vaultadmin.embedded.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[2]
SLEEPS = "import time; time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
HAS_CHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPS!r}]); {SLEEPS}"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def supervise(tmp_path: Path, told: list[str]) -> Iterator[Callable[[], Supervisor]]:
    layout = paths(tmp_path)
    layout.logs.mkdir()
    made = []

    def make() -> Supervisor:
        made.append(Supervisor(layout, folder=tmp_path, environment=os.environ, tell=told.append))
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.stop()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaultadmin.embedded.supervisor._STOP", ((signal.SIGTERM, 0.2), (signal.SIGKILL, 5.0)))


def pid_of(supervisor: Supervisor, name: str) -> int:
    number = supervisor.pids()[name]
    assert number is not None
    return number


def test_fallen_child_is_told_with_its_log_and_started_again(supervise, told, tmp_path):
    supervisor = supervise()
    supervisor.start("worker", [sys.executable, "-c", SLEEPS])
    first = pid_of(supervisor, "worker")
    os.kill(first, signal.SIGKILL)

    def back() -> bool:
        supervisor.check()
        return supervisor.pids()["worker"] not in (None, first)

    assert wait_until(back, seconds=20)
    assert len(told) == 1
    assert "SIGKILL" in told[0]
    assert str(tmp_path / "logs" / "worker.log") in told[0]


def test_child_that_keeps_falling_waits_longer_each_time(supervise, told):
    supervisor = supervise()
    supervisor.start("worker", [sys.executable, "-c", "raise SystemExit(3)"])

    def fell_twice() -> bool:
        supervisor.check()
        return len(told) == 2

    assert wait_until(fell_twice, seconds=20)
    assert "exit status 3" in told[0]
    assert "in 2 s" in told[0]
    assert "in 4 s" in told[1]


def test_stop_ends_children_and_their_children(supervise):
    supervisor = supervise()
    supervisor.start("worker", [sys.executable, "-c", HAS_CHILD])
    group = pid_of(supervisor, "worker")
    assert wait_until(lambda: len(group_members(group)) == 2, seconds=10)

    supervisor.stop()

    assert group_members(group) == []


def test_stop_insists_when_a_child_does_not_listen(supervise, impatient, tmp_path):
    supervisor = supervise()
    supervisor.start("worker", [sys.executable, "-c", DEAF])
    number = pid_of(supervisor, "worker")
    assert wait_until(lambda: "deaf" in (tmp_path / "logs" / "worker.log").read_text(), seconds=10)

    supervisor.stop()

    assert not alive(number)


def test_children_of_a_killed_supervisor_are_cleared_by_the_next(supervise, impatient, tmp_path):
    script = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from vaultadmin.embedded import paths\n"
        "from vaultadmin.embedded.supervisor import Supervisor\n"
        "folder = Path(sys.argv[1])\n"
        "supervisor = Supervisor(paths(folder), folder=folder, environment=os.environ, tell=print)\n"
        f"supervisor.start('deaf', [sys.executable, '-c', {DEAF!r}])\n"
        "print(supervisor.pids()['deaf'], flush=True)\n"
        "time.sleep(600)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    orphan = int(owner.stdout.readline())
    assert wait_until(lambda: "deaf" in (tmp_path / "logs" / "deaf.log").read_text(), seconds=10)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert alive(orphan)

    supervise().clear_leftovers()

    assert not alive(orphan)


def test_children_of_other_folders_are_left_alone(supervise, tmp_path):
    supervisor = supervise()
    supervisor.start("worker", [sys.executable, "-c", SLEEPS])
    elsewhere = tmp_path / "elsewhere"

    Supervisor(paths(elsewhere), folder=tmp_path, environment=os.environ, tell=print).clear_leftovers()

    assert alive(pid_of(supervisor, "worker"))
