import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.embedded.conftest import own_folder
from tests.embedded.probes import ROOT, pids
from tests.tools.children import answers
from tests.tools.engines import free_port_pair
from vaultadmin.embedded.processes import wait_until

# One start is dear: these share a data folder, so they stay in one process.

UP = "Ctrl-C stops everything."
CHILDREN = {"web", "web-tls", "worker-general", "worker-messages", "worker-sync", "beat"}


class Serving:
    """One `manage.py serve` and what it prints."""

    def __init__(self, folder: Path, *, port: int, log: Path) -> None:
        self.folder, self.port, self.log = folder, port, log
        environment = {key: value for key, value in os.environ.items() if not key.startswith("VAULTADMIN_")}
        environment |= {"VAULTADMIN_DATA_DIR": str(folder), "PORT": str(port), "PYTHONUNBUFFERED": "1"}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--no-demo"],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def wait_until_up(self) -> "Serving":
        wait_until(lambda: UP in self.said() or self.process.poll() is not None, seconds=120)
        assert UP in self.said(), self.said()
        return self

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def left_behind(folder: Path) -> list[str]:
    """Processes that carry the mark of this data folder, and its servers."""
    found = [name for name, pid in pids(folder).items() if pid is not None]
    for process in psutil.process_iter():
        try:
            if process.environ().get("VAULTADMIN_SUPERVISED") == str(folder):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with own_folder() as made:
        yield made


@pytest.fixture(scope="module")
def shared() -> Iterator[list[Serving]]:
    started: list[Serving] = []
    yield started
    for serving in started:
        if serving.process.poll() is None:
            serving.end(signal.SIGTERM)


@pytest.fixture
def running(shared: list[Serving], folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Serving:
    """One that is up, the same for all tests that ask for it as long as none ends it."""
    if not shared or shared[-1].process.poll() is not None:
        log = tmp_path_factory.mktemp("serve") / "serve.log"
        shared.append(Serving(folder, port=free_port_pair(), log=log))
        shared[-1].wait_until_up()
    return shared[-1]


@pytest.fixture
def serve(shared: list[Serving], folder: Path, tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Start one beside which none runs."""
    started: list[Serving] = []

    def start(port: int | None = None) -> Serving:
        started.append(Serving(folder, port=port or free_port_pair(), log=tmp_path / f"{len(started)}.log"))
        return started[-1]

    for serving in shared:
        if serving.process.poll() is None:
            serving.end(signal.SIGTERM)
    yield start
    for serving in started:
        if serving.process.poll() is None:
            serving.end(signal.SIGTERM)


def test_second_serve_on_one_data_folder_is_refused_with_a_sentence(running, folder, tmp_path, shared):
    second = Serving(folder, port=free_port_pair(), log=tmp_path / "second.log")
    shared.insert(0, second)

    assert second.process.wait(timeout=60) == 2
    assert second.said() == f"vaultadmin already runs with the data folder {folder}: stop it first.\n"


def test_killed_database_and_web_server_come_back(running, folder):
    os.kill(pids(folder)["postgres"], signal.SIGKILL)
    for process in psutil.process_iter():
        if is_web_server(process, folder, running.port):
            process.kill()

    assert wait_until(lambda: "postgres had ended and runs again" in running.said(), seconds=30)
    assert wait_until(lambda: "web ended" in running.said() and answers(running.port, "/readyz"), seconds=60)


def test_killed_serve_leaves_nothing_that_blocks_the_next_one(running, folder, shared, tmp_path):
    assert running.end(signal.SIGKILL) == -signal.SIGKILL

    shared.append(Serving(folder, port=running.port, log=tmp_path / "next.log"))

    assert answers(shared[-1].wait_until_up().port, "/readyz")


def test_ctrl_c_stops_every_child_and_exits_with_0(running, folder):
    assert wait_until(lambda: answers(running.port, "/readyz"), seconds=60)
    assert set(serving_children(folder)) >= CHILDREN

    assert running.end(signal.SIGINT) == 0

    assert left_behind(folder) == []
    assert "Traceback" not in running.said()


@pytest.mark.parametrize(("taken", "meant"), [(0, "http"), (1, "TLS, one above PORT")])
def test_taken_port_is_refused_with_a_sentence(serve, folder, taken, meant):
    port = free_port_pair()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + taken))
        other.listen()

        refused = serve(port)

        assert refused.process.wait(timeout=60) == 2
    assert refused.said() == f"Port {port + taken} ({meant}) is taken: set PORT to another number.\n"
    assert left_behind(folder) == []


def serving_children(folder: Path) -> list[str]:
    return [log.stem for log in (folder / "logs").glob("*.log")]


def is_web_server(process: psutil.Process, folder: Path, port: int) -> bool:
    try:
        marked = process.environ().get("VAULTADMIN_SUPERVISED") == str(folder)
        return marked and "granian" in process.cmdline() and str(port) in process.cmdline()
    except psutil.Error:
        return False
