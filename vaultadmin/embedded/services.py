"""Which embedded servers run, who uses them, and who stops them.

Every user of the servers holds a shared lock on one file for as long as it lives; the kernel drops it even after
kill -9. Whoever leaves last stops the servers, so two commands that overlap never pull them from under each other.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from vaultadmin.embedded.addresses import embeds_database, embeds_redis
from vaultadmin.embedded.errors import EmbeddedError
from vaultadmin.embedded.folders import private_folder
from vaultadmin.embedded.paths import Paths, paths, runs_as_root, traversable_by_others
from vaultadmin.embedded.postgres import Postgres
from vaultadmin.embedded.processes import alive, recorded_pid
from vaultadmin.embedded.redis import Redis

_LOCK_SECONDS = 180


class Server(Protocol):
    """What the two engines have in common."""

    name: str

    def answers(self) -> bool: ...
    def pid(self) -> int | None: ...
    def begin(self, *, dies_with_parent: bool) -> None: ...
    def finish(self) -> None: ...
    def stop(self) -> None: ...
    def hand_over(self) -> None: ...


class Services:
    """The embedded servers of one data folder, as one of their users sees them."""

    def __init__(self, data_dir: str | os.PathLike[str], *, tied: bool = False) -> None:
        """`tied` servers end with this process, even when it is killed; only a process that stays may tie them."""
        self._layout = paths(data_dir)
        self._tied = tied
        self._seat: int | None = None
        self.servers = embedded_servers(self._layout)
        self.started: list[str] = []

    def start(self) -> None:
        """Take a seat and make sure every server answers. Starting twice changes nothing."""
        if not self.servers or self._seat is not None:
            return
        _prepare(self._layout)
        with _locked(self._layout.run / "services.lock"):
            self._seat = _open(self._layout.run / "users.lock")
            fcntl.flock(self._seat, fcntl.LOCK_SH)
            try:
                self._see_off_the_dying()
                self._start_missing()
            except BaseException:
                self._leave()
                raise

    def fallen(self) -> bool:
        """True when the process of a server is gone; cheap enough to ask every second."""
        return any(server.pid() is None for server in self.servers)

    def mend(self) -> list[str]:
        """Start servers whose process is gone and return their names.

        One that lives and does not answer yet may be recovering after a fall: it is left in peace.
        """
        if not self.servers:
            return []
        with _locked(self._layout.run / "services.lock"):
            return self._start([server for server in self.servers if server.pid() is None])

    def stop(self) -> None:
        """Give up the seat; stop the servers when nobody else sits, or when they are tied to us anyway."""
        if self._seat is None:
            return
        with _locked(self._layout.run / "services.lock"):
            self._leave()

    def _see_off_the_dying(self) -> None:
        """Servers tied to a process that was killed still answer for a moment: too late to attach to them."""
        owner = recorded_pid(self._owner_file)
        if owner is None or alive(owner):
            return
        for server in reversed(self.servers):
            server.stop()
        self._owner_file.unlink()

    @property
    def _owner_file(self) -> Path:
        return self._layout.run / "servers-tied-to"

    def _start_missing(self) -> list[str]:
        return self._start([server for server in self.servers if not server.answers()])

    def _start(self, missing: list[Server]) -> list[str]:
        if missing and self._tied:
            self._owner_file.write_text(f"{os.getpid()}\n", encoding="ascii")
        for server in missing:
            server.begin(dies_with_parent=self._tied)
        for server in missing:
            server.finish()
        names = [server.name for server in missing]
        self.started += [name for name in names if name not in self.started]
        return names

    def _leave(self) -> None:
        """Redis first: what still writes to it then finds the database working until the end."""
        if self._seat is None:
            return
        alone = _try_lock(self._seat, fcntl.LOCK_EX)
        for server in reversed(self.servers):
            if alone or (self._tied and server.name in self.started):
                server.stop()
            else:
                server.hand_over()
        if self._tied and self.started:
            self._owner_file.unlink(missing_ok=True)
        os.close(self._seat)
        self._seat = None


def embedded_servers(layout: Paths) -> list[Server]:
    """The servers this installation runs itself; an address in the environment takes the place of one."""
    servers: list[Server] = []
    if embeds_database():
        servers.append(Postgres(layout))
    if embeds_redis():
        servers.append(Redis(layout))
    return servers


@contextmanager
def services(data_dir: str | os.PathLike[str], *, tied: bool = False) -> Iterator[Services]:
    """Have the embedded servers running inside the block: attach to running ones, else start and later stop them."""
    running = Services(data_dir, tied=tied)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def is_running(data_dir: str | os.PathLike[str]) -> bool:
    """True when every server this installation embeds answers; nothing is started."""
    return all(server.answers() for server in embedded_servers(paths(data_dir)))


def embedded_pids(data_dir: str | os.PathLike[str]) -> dict[str, int | None]:
    """The living process of each embedded server by name; None for one that is down."""
    return {server.name: server.pid() for server in embedded_servers(paths(data_dir))}


def _prepare(layout: Paths) -> None:
    """As root the server's own user must be able to walk through; nobody can list or read what is inside."""
    walked_through = runs_as_root() and (not layout.data.exists() or traversable_by_others(layout.data))
    private_folder(layout.data, mode=0o711 if walked_through else 0o700)
    private_folder(layout.run, mode=0o711 if walked_through else 0o700)
    private_folder(layout.logs)


@contextmanager
def only_supervisor(data_dir: str | os.PathLike[str]) -> Iterator[None]:
    """Refuse to be the second process that looks after one data folder."""
    layout = paths(data_dir)
    _prepare(layout)
    handle = _open(layout.run / "serve.lock")
    try:
        if not _try_lock(handle, fcntl.LOCK_EX):
            raise EmbeddedError(f"vaultadmin already runs with the data folder {layout.data}: stop it first.")
        yield
    finally:
        os.close(handle)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a lock between processes; another command that is just starting the servers is waited for."""
    handle = _open(file)
    try:
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _try_lock(handle, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise EmbeddedError(f"Another command has held {file} for {_LOCK_SECONDS} seconds: end it first.")
            time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def _open(file: Path) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
