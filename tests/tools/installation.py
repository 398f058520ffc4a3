"""A second, whole installation beside the one of the tests: `manage.py serve` in a data folder of its own.

For drills that take PostgreSQL, Redis or processes away, which the tests' own engines must survive.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psutil
import psycopg
from django.conf import settings

from tests.tools.children import answers
from tests.tools.engines import free_port_pair
from vaultadmin import embedded
from vaultadmin.embedded.processes import spawn, wait_until

UP = "Ctrl-C stops everything."
_OWN = ("DATABASE_URL", "REDIS_URL", "PYTEST_CURRENT_TEST")


class Installation:
    """One installation driven from outside: by its pages, its commands and signals to its processes."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.port, self.variables = folder, free_port_pair(), variables
        self.log = folder.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("VAULTADMIN_") and k not in _OWN}
        return (
            kept
            | {"VAULTADMIN_DATA_DIR": str(self.folder), "PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
            | (self.variables)
        )

    def begin(self) -> None:
        """Start `serve`, without waiting for it. It ends with the thread that began it."""
        with self.log.open("wb") as output:
            self.process = spawn(
                [sys.executable, "manage.py", "serve", "--no-demo"],
                output=output.fileno(),
                environment=self.environment,
                folder=settings.BASE_DIR,
                dies_with_parent=signal.SIGTERM,
            )

    def start(self) -> None:
        """Start and wait until everything is up."""
        self.begin()
        self.wait_until_up()

    def wait_until_up(self) -> None:
        assert self.process is not None
        wait_until(lambda: UP in self.said() or self.process.poll() is not None, seconds=150)
        assert UP in self.said(), self.said()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def end(self) -> int:
        """SIGTERM, and wait until it is over."""
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=90)

    def kill(self) -> None:
        """Everything at once, as when the power goes: `serve`, its children and both engines."""
        engines = [pid for pid in embedded.embedded_pids(self.folder).values() if pid is not None]
        victims = [*([self.process.pid] if self.process else []), *(child.pid for child in self.children()), *engines]
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(timeout=30)

    def manage(
        self, *arguments: str, attached: bool = False, variables: dict[str, str] | None = None, seconds: float = 180
    ) -> subprocess.CompletedProcess[str]:
        """Run a management command of this installation; `attached` ones are told where the servers are."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=self.environment | (self._addresses() if attached else {}) | (variables or {}),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        )

    def _addresses(self) -> dict[str, str]:
        place = embedded.database_settings(self.folder)
        where = f"{place['USER']}@{quote(place['HOST'], safe='')}:{place['PORT']}/{place['NAME']}"
        return {"DATABASE_URL": f"postgres://{where}", "REDIS_URL": embedded.broker_url(self.folder)}

    @cached_property
    def credentials(self) -> dict[str, Any]:
        """What `demo --credentials` prints."""
        found: dict[str, Any] = json.loads(self.manage("demo", "--credentials", "--json").stdout)
        return found

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the installation's own database."""
        place = embedded.database_settings(self.folder)
        with psycopg.connect(
            host=place["HOST"],
            port=place["PORT"],
            user=place["USER"],
            dbname=place["NAME"],
            autocommit=True,
            connect_timeout=5,
        ) as asked:
            found = asked.execute(sql, values)
            return found.fetchall() if found.description else []

    # Processes

    def engine(self, name: str) -> int | None:
        """The process of `postgres` or `redis`."""
        return embedded.embedded_pids(self.folder)[name]

    def children(self, *words: str) -> list[psutil.Process]:
        """Supervised processes whose command line has all of these words."""
        return [process for process in psutil.process_iter() if self._is_child(process, words)]

    def workers(self) -> dict[str, int]:
        """The process that answers for each group of workers, by name."""
        found = self.children("celery", "worker")
        pids = {process.pid for process in found}
        return {_name(process): process.pid for process in found if process.ppid() not in pids}

    def left(self) -> list[str]:
        """What still runs of it, engines and supervised processes alike."""
        engines = [name for name, pid in embedded.embedded_pids(self.folder).items() if pid is not None]
        return engines + [str(child.pid) for child in self.children()]

    def _is_child(self, process: psutil.Process, words: tuple[str, ...]) -> bool:
        try:
            marked = process.environ().get("VAULTADMIN_SUPERVISED") == str(self.folder)
            return marked and set(words) <= set(process.cmdline())
        except (psutil.Error, OSError):
            return False

    @contextmanager
    def without(self, engine: str) -> Iterator[None]:
        """Kill an engine and keep it down inside the block: its supervisor waits for the lock that is held here.

        The kernel drops the lock with this process, so a test that is killed leaves nothing behind. Commands wait for
        it, too: only those `attached` by address run meanwhile.
        """
        with (self.folder / "run" / "services.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            pid = self.engine(engine)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            yield

    def is_ready(self) -> bool:
        return answers(self.port, "/readyz")


def _name(process: psutil.Process) -> str:
    """What a Celery worker is called on its command line."""
    line = process.cmdline()
    return line[line.index("--hostname") + 1]


class Browser:
    """A browser without a script: cookies, and forms with their tokens."""

    def __init__(self, port: int, *, timeout: float = 20) -> None:
        self.port, self.timeout = port, timeout
        self.cookies: dict[str, str] = {}

    def ask(
        self, method: str, path: str, data: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """One request: status, headers by small letters, text. Errors of the network come through."""
        if data is None:
            return self._exchange(method, path, None, headers)
        form = urlencode(data | {"csrfmiddlewaretoken": self.cookies.get("csrftoken", "")})
        return self._exchange(method, path, form, {"Content-Type": "application/x-www-form-urlencoded"} | headers)

    def send(self, path: str, value: object, **headers: str) -> tuple[int, dict[str, str], str]:
        """Post JSON, as machines do."""
        return self._exchange("POST", path, json.dumps(value), {"Content-Type": "application/json"} | headers)

    def _exchange(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], str]:
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        sent = {"Host": "localhost", "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} | headers
        try:
            asked.request(method, path, body, sent)
            answer = asked.getresponse()
            text = answer.read().decode("utf-8", "replace")
        finally:
            asked.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text

    def get(self, path: str) -> int:
        return self.ask("GET", path)[0]

    def post(self, path: str, data: dict[str, str]) -> int:
        return self.ask("POST", path, data)[0]

    def sign_in(self, login: str, password: str) -> int:
        self.get("/accounts/login/")
        return self.post("/accounts/login/", {"login": login, "password": password})
