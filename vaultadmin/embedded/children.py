"""The command lines of web, workers and beat."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vaultadmin.embedded.tls import TlsFiles

WEB_THREADS = 8
# Messages and participants have workers of their own, so that a slow receiver of the one starves nothing else.
WORKERS: Mapping[str, Sequence[str]] = {
    "general": ("interactive", "processing", "maintenance"),
    "messages": ("delivery",),
    "sync": ("sync",),
}
WORKER_PROCESSES = 2
# Granian counts connections, idle ones too: beyond it a new one is not even greeted, and browsers and sync lanes keep
# theirs open. An idle connection costs next to nothing; what is worked on at a time is for the threads to say.
WEB_CONNECTIONS = 1024


def web(port: int, *, tls: TlsFiles | None = None) -> list[str]:
    """The web server on the loopback interface; TLS when files are given."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", str(WEB_THREADS), "--no-ws"]
    command += ["--backpressure", str(WEB_CONNECTIONS)]
    command += ["--workers-kill-timeout", "5", "--log-level", "warning"]
    if tls is not None:
        command += ["--ssl-certificate", str(tls.certificate), "--ssl-keyfile", str(tls.key)]
    return [*command, "vaultadmin.wsgi:application"]


def worker(name: str, queues: Sequence[str], *, processes: int = WORKER_PROCESSES) -> list[str]:
    """A Celery worker for some queues. Nothing here needs workers to know each other."""
    options = ["--hostname", f"{name}@%h", "--queues", ",".join(queues), "--concurrency", str(processes)]
    quiet = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    return [sys.executable, "-m", "celery", "--app", "vaultadmin", "worker", *options, *quiet]


def beat(schedule: Path) -> list[str]:
    """The clock of the installation."""
    return [
        *(sys.executable, "-m", "celery", "--app", "vaultadmin", "beat"),
        *("--schedule", str(schedule), "--pidfile", "", "--loglevel", "INFO"),
    ]
