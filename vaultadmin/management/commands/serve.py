"""`manage.py serve`: the whole installation in one terminal, and everything stopped with it."""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from argparse import ArgumentParser
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from vaultadmin import embedded
from vaultadmin.embedded import children, ports
from vaultadmin.embedded.mending import Mender
from vaultadmin.embedded.supervisor import Supervisor
from vaultadmin.embedded.tls import TlsFiles, development_tls
from vaultadmin.services import installation
from vaultadmin.static_files import collect_if_changed
from vaultadmin.tasks import pulse

_READY_SECONDS = 90
_LOOK_EVERY = 1.0


class StopRequested(BaseException):
    """Ctrl-C or SIGTERM. No Exception, so that nothing on the way takes it for a failure of its own."""


class Command(BaseCommand):
    help = "Run web, workers and beat, with PostgreSQL and Redis where no address is configured, until Ctrl-C."
    # Run by `handle` itself, which answers in plain sentences and cannot be told to skip them.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="do not load the demo world")

    def handle(self, *args: Any, no_demo: bool, **options: Any) -> None:
        os.umask(0o077)
        _require_sound_settings()
        # This terminal is for people; what happens in detail stands in the logs of the children.
        logging.disable(logging.INFO)
        _listen_for_stop()
        self._demo = not (no_demo or settings.PRODUCTION) and "demo" in get_commands()
        self._layout = embedded.paths(settings.DATA_DIR)
        self._supervisor = Supervisor(self._layout, folder=settings.BASE_DIR, environment=os.environ, tell=self._tell)
        self._services = embedded.Services(settings.DATA_DIR, tied=True)
        self._mender = Mender(self._services, tell=self._tell)
        try:
            with embedded.only_supervisor(settings.DATA_DIR):
                self._run()
        except StopRequested:
            self._tell("Stopped.")

    def _run(self) -> None:
        try:
            self._supervisor.clear_leftovers()
            tls = self._choose_tls()
            self._require_ports(tls)
            self._services.start()
            self._prepare()
            self._start_children(tls)
            self._load_demo()
            self._wait_until_ready()
            self._run_demo()
            self._greet(tls)
            connections.close_all()
            self._watch()
        finally:
            connections.close_all()
            _ignore_further_stops()
            self._supervisor.stop()
            self._services.stop()

    def _choose_tls(self) -> TlsFiles | None:
        """The operator's certificate, else a throw-away one; production without a certificate serves http only."""
        certificate, key = os.environ.get("VAULTADMIN_TLS_CERT"), os.environ.get("VAULTADMIN_TLS_KEY")
        if bool(certificate) != bool(key):
            raise embedded.EmbeddedError("Set VAULTADMIN_TLS_CERT and VAULTADMIN_TLS_KEY together.")
        if certificate and key:
            for file in (certificate, key):
                if not os.access(file, os.R_OK):
                    raise embedded.EmbeddedError(
                        f"{file} of VAULTADMIN_TLS_CERT and VAULTADMIN_TLS_KEY cannot be read."
                    )
            return TlsFiles(Path(certificate), Path(key), self._layout.ca_certificate)
        return None if settings.PRODUCTION else development_tls(self._layout, now=timezone.now())

    def _require_ports(self, tls: TlsFiles | None) -> None:
        ports.require_free(settings.PORT, meant_for="http")
        if tls is not None:
            ports.require_free(settings.TLS_PORT, meant_for="TLS, one above PORT")

    def _prepare(self) -> None:
        """Everything the children need before they start, done in this process, which has loaded Django anyway."""
        executor = MigrationExecutor(connection)
        self._first_start = not executor.loader.applied_migrations
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self._tell("Preparing the database …")
            call_command("migrate", interactive=False, verbosity=0)
        else:
            # A migration in the place of others is done once it is written down; `migrate` does that, too.
            executor.check_replacements()
        collect_if_changed()
        installation.mark_starting()
        if "setup" in get_commands():
            call_command("setup", stdout=StringIO())

    def _start_children(self, tls: TlsFiles | None) -> None:
        start = self._supervisor.start
        start("web", children.web(settings.PORT))
        for name, queues in children.WORKERS.items():
            start(f"worker-{name}", children.worker(name, queues))
        start("beat", children.beat(Path(settings.CELERY_BEAT_SCHEDULE_FILENAME)))
        if tls is not None:
            start("web-tls", children.web(settings.TLS_PORT, tls=tls))
        _ask_for_a_pulse()

    def _load_demo(self) -> None:
        """Load the demo world, if wanted, while the children start; from then on readiness may say yes."""
        if self._demo:
            if self._first_start:
                self._tell("Loading the demo world …")
            call_command("demo", stdout=self.stdout)
        installation.mark_ready(now=timezone.now())

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            ready, missing = ports.readiness(settings.PORT)
            if ready:
                return
            if time.monotonic() > deadline:
                self._tell(f"Not ready after {_READY_SECONDS} s: {', '.join(missing)}; logs are in {self._layout.logs}")
                return
            self._look_after_all()
            time.sleep(0.25)

    def _run_demo(self) -> None:
        if self._demo:
            call_command("demo", "--sync", stdout=self.stdout)

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY)
            self._look_after_all()

    def _look_after_all(self) -> None:
        for name in self._mender.check():
            self._tell(f"{name} had ended and runs again; its log is {self._layout.log(name)}")
        self._supervisor.check()

    def _greet(self, tls: TlsFiles | None) -> None:
        kind = "" if settings.PRODUCTION else "  (development installation)"
        self._tell(f"\nvaultadmin  {settings.PUBLIC_URL}/{kind}")
        if tls is not None:
            self._tell(f"TLS         https://localhost:{settings.TLS_PORT}/")
        if self._demo:
            self._tell_logins()
        self._tell(f"Data, logs  {self._layout.data}, {self._layout.logs}")
        self._tell("Ctrl-C stops everything.\n")

    def _tell_logins(self) -> None:
        answer = StringIO()
        call_command("demo", "--credentials", "--json", stdout=answer)
        logins: dict[str, str] = json.loads(answer.getvalue())["logins"]
        for password in dict.fromkeys(logins.values()):
            self._tell(f"Password    {password}  for")
            for email, its_password in logins.items():
                if its_password == password:
                    self._tell(f"            {email}")

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _require_sound_settings() -> None:
    """Refuse to start with one sentence for everything that must be put right first."""
    found = [message.msg for message in run_checks() if message.is_serious()]
    if found:
        raise embedded.EmbeddedError("\n".join(found))


def _ask_for_a_pulse() -> None:
    """Workers prove themselves as soon as they are up, not at beat's next turn, which may be ten seconds away."""
    for queues in children.WORKERS.values():
        for queue in queues:
            pulse.apply_async(kwargs={"queue": queue}, queue=queue, expires=_READY_SECONDS)


def _listen_for_stop() -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        _ignore_further_stops()
        raise StopRequested

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _ignore_further_stops() -> None:
    """The children have been asked already; a second Ctrl-C must not leave half of them behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
