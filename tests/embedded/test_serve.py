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
CHILDREN = {"web", "web-tls", "worker-general", "worker-sync", "beat"}


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


@pytest.fixture
def serve(folder: Path, tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    started: list[Serving] = []

    def start(port: int | None = None) -> Serving:
        started.append(Serving(folder, port=port or free_port_pair(), log=tmp_path / f"{len(started)}.log"))
        return started[-1]

    yield start
    for serving in started:
        if serving.process.poll() is None:
            serving.end(signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_every_child_and_exits_with_0(serve, folder, number):
    serving = serve().wait_until_up()
    assert answers(serving.port, "/readyz")
    assert set(serving_children(folder)) >= CHILDREN

    assert serving.end(number) == 0

    assert left_behind(folder) == []
    assert "Traceback" not in serving.said()


def test_killed_serve_leaves_nothing_that_blocks_the_next_one(serve, folder):
    first = serve().wait_until_up()
    assert first.end(signal.SIGKILL) == -signal.SIGKILL

    second = serve(first.port).wait_until_up()

    assert answers(second.port, "/readyz")
    assert second.end(signal.SIGTERM) == 0
    assert left_behind(folder) == []


def test_killed_database_and_web_server_come_back(serve, folder):
    serving = serve().wait_until_up()
    os.kill(pids(folder)["postgres"], signal.SIGKILL)
    for process in psutil.process_iter():
        if is_web_server(process, folder, serving.port):
            process.kill()

    assert wait_until(lambda: "postgres had ended and runs again" in serving.said(), seconds=30)
    assert wait_until(lambda: "web ended" in serving.said() and answers(serving.port, "/readyz"), seconds=60)


def test_second_serve_on_one_data_folder_is_refused_with_a_sentence(serve, folder):
    serve().wait_until_up()

    second = serve()

    assert second.process.wait(timeout=60) == 2
    assert second.said() == f"vaultadmin already runs with the data folder {folder}: stop it first.\n"


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
