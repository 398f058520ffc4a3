"""What a benchmark runs on: PostgreSQL and Redis of its own, a fresh database, and the product's own processes.

Everything here ends with this process, and nothing that was running before is touched.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from io import StringIO
from pathlib import Path
from ssl import create_default_context

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql
from redis import Redis

from bench.errors import BenchError
from vaultadmin import clock, embedded
from vaultadmin.embedded import children
from vaultadmin.embedded.cluster import SUPERUSER
from vaultadmin.embedded.folders import last_words
from vaultadmin.embedded.processes import wait_until
from vaultadmin.embedded.supervisor import Supervisor
from vaultadmin.embedded.tls import TlsFiles, development_tls

_START_SECONDS = 60


@dataclass
class Stand:
    """The running servers, and the processes a benchmark adds to them."""

    layout: embedded.Paths
    tls: TlsFiles
    _supervisors: dict[str, Supervisor] = field(default_factory=dict)

    def start_service(self, *, processes: int) -> None:
        """The bundled eCOA service over TLS on settings.TLS_PORT, as the product starts it, in so many processes."""
        self.start("service", _with_processes(children.web(settings.TLS_PORT, tls=self.tls), processes))
        self._wait("service", lambda: _answers(settings.TLS_PORT, self.tls))

    def start_web(self) -> None:
        """The product's web server over plain http on settings.PORT."""
        self.start("web", children.web(settings.PORT))
        self._wait("web", lambda: _answers(settings.PORT))

    def start_sync_workers(self) -> None:
        """The product's workers of the queues sync and maintenance, and beat, whose tick brings in the second lane."""
        self.start("workers", children.worker("bench", ["sync"]))
        self.start("ticks", children.worker("ticks", ["maintenance"]))
        self.start("beat", children.beat(Path(settings.CELERY_BEAT_SCHEDULE_FILENAME)))
        self._wait("workers", lambda: "ready." in self.log("workers"))
        self._wait("ticks", lambda: "ready." in self.log("ticks"))

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start any process that belongs to this stand."""
        self.layout.log(name).unlink(missing_ok=True)
        self._supervisors[name] = _supervisor(self.layout)
        self._supervisors[name].start(name, command)

    def stop(self, *names: str) -> None:
        """End these processes, or all of them."""
        for name in names or tuple(self._supervisors):
            self._supervisors.pop(name).stop()

    def wait_for_port(self, name: str, port: int) -> None:
        """Wait until a process listens."""
        self._wait(name, lambda: listens(port))

    def log(self, name: str) -> str:
        """What a process has written so far."""
        file = self.layout.log(name)
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def roles(self) -> dict[str, int | None]:
        """The processes by what they do."""
        started = {name: supervisor.pids()[name] for name, supervisor in self._supervisors.items()}
        return {**started, **embedded.embedded_pids(self.layout.data)}

    def require_alive(self) -> None:
        """A figure measured while something had fallen is none."""
        for name, pid in self.roles().items():
            if pid is None:
                raise BenchError(f"The process {name} has ended: {last_words(self.layout.log(name))}")

    def _wait(self, name: str, condition: Callable[[], bool]) -> None:
        pids = self._supervisors[name].pids
        up = wait_until(lambda: condition() or pids()[name] is None, seconds=_START_SECONDS)
        if not up or pids()[name] is None:
            raise BenchError(f"The process {name} did not start: {last_words(self.layout.log(name))}")


@contextmanager
def stand() -> Iterator[Stand]:
    """A stand with an empty, migrated and set-up database."""
    data_dir = Path(settings.DATA_DIR)
    layout = embedded.paths(data_dir)
    with embedded.only_supervisor(data_dir):
        _supervisor(layout).clear_leftovers()
        with embedded.services(data_dir, tied=True):
            ground = Stand(layout, development_tls(layout, now=clock.now()))
            try:
                _fresh_database(settings.DATABASES["default"]["NAME"])
                yield ground
            finally:
                ground.stop()
                connections.close_all()


def _supervisor(layout: embedded.Paths) -> Supervisor:
    return Supervisor(layout, folder=settings.BASE_DIR, environment=os.environ, tell=print)


def _fresh_database(name: str) -> None:
    held = embedded.database_settings(settings.DATA_DIR)
    place = {"dbname": held["NAME"], "user": held["USER"], "host": held["HOST"], "port": held["PORT"]}
    with psycopg.connect(**place, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    # So that what filling leaves to write is written before anything is measured.
    with psycopg.connect(**(place | {"dbname": "postgres", "user": SUPERUSER}), autocommit=True) as connection:
        connection.execute(sql.SQL("GRANT pg_checkpoint TO {}").format(sql.Identifier(held["USER"])))
    with Redis.from_url(embedded.redis_url(settings.DATA_DIR)) as redis:
        redis.flushdb()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("setup", stdout=StringIO())


def _with_processes(command: list[str], processes: int) -> list[str]:
    place = command.index("--workers") + 1
    return [*command[:place], str(processes), *command[place + 1 :]]


def listens(port: int) -> bool:
    """Does a process take connections on this port of the loopback interface?"""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(port: int, tls: TlsFiles | None = None) -> bool:
    if tls is None:
        asked = HTTPConnection("127.0.0.1", port, timeout=5)
    else:
        asked = HTTPSConnection("localhost", port, timeout=5, context=create_default_context(cafile=tls.authority))
    try:
        asked.request("GET", "/healthz", headers={"Host": "localhost"})
        return asked.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        asked.close()
