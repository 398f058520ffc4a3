"""The embedded PostgreSQL: attach to a running one, recover a fallen one, start, stop."""

import os
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg import sql

from vaultadmin.embedded.addresses import DATABASE, ROLE
from vaultadmin.embedded.cluster import SUPERUSER, Cluster, ready_cluster, server_environment
from vaultadmin.embedded.errors import EmbeddedError
from vaultadmin.embedded.folders import last_words, open_log, private_folder
from vaultadmin.embedded.ordinary_user import server_identity
from vaultadmin.embedded.paths import POSTGRES_PORT, Paths
from vaultadmin.embedded.processes import end, hand_over, reap, recorded_pid, spawn, wait_until, working_in, works_in

NAME = "postgres"
# Smart shutdown waits for clients that may never leave; fast ends their sessions; immediate relies on the log.
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT
_START_SECONDS = 90
_STOP = ((FAST, 20.0), (IMMEDIATE, 5.0), (signal.SIGKILL, 5.0))
_CLEAR_AWAY = ((FAST, 10.0), (IMMEDIATE, 5.0), (signal.SIGKILL, 5.0))

# For a small machine. Durability stays as PostgreSQL ships it: fsync, full_page_writes and synchronous_commit are on.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(POSTGRES_PORT),
    "max_connections": "120",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
    "log_statement": "none",
    # Values of a failing statement could be secrets or participants.
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
}


class Postgres:
    """One embedded server. Call only while holding the lock of services.py."""

    name = NAME

    def __init__(self, layout: Paths) -> None:
        self._layout = layout
        self._child: subprocess.Popen[bytes] | None = None

    def answers(self) -> bool:
        """True when the database of the application can be reached with its role."""
        return _answers(self._layout, role=ROLE, database=DATABASE)

    def pid(self) -> int | None:
        """The living postmaster of this cluster, whoever started it."""
        if self._child is not None and self._child.poll() is None:
            # Also before it has written its number down.
            return self._child.pid
        pid = recorded_pid(self._layout.cluster / "postmaster.pid")
        return pid if works_in(pid, self._layout.cluster) else None

    def begin(self, *, dies_with_parent: bool) -> None:
        """Start the server without waiting for it; whatever an earlier one left behind is cleared away first."""
        cluster = ready_cluster(self._layout, server_identity(self._layout.cluster))
        self._prepare_sockets(cluster)
        self._clear_away()
        reap(self._child)
        log = open_log(self._layout.log(NAME))
        with closing(os.fdopen(log, "wb")):
            self._child = spawn(
                self._command(cluster),
                output=log,
                environment=server_environment(),
                folder=cluster.folder,
                identity=cluster.identity,
                dies_with_parent=FAST if dies_with_parent else None,
            )

    def finish(self) -> None:
        """Wait until the server that was begun accepts connections, and make role and database once."""
        if not wait_until(self._settled, seconds=_START_SECONDS) or not self._accepts():
            raise EmbeddedError(
                f"PostgreSQL did not start, its log {self._layout.log(NAME)} ends with: "
                f"{last_words(self._layout.log(NAME))}"
            )
        if not self.answers():
            _make_role_and_database(self._layout)

    def stop(self) -> None:
        """Stop the server in the orderly way and wait until it is gone."""
        pid = self.pid()
        if pid is not None and not end([pid], signals=_STOP):
            raise EmbeddedError(f"PostgreSQL (process {pid}) could not be stopped.")
        reap(self._child)

    def hand_over(self) -> None:
        """Leave the server running for others."""
        hand_over(self._child)
        self._child = None

    def _settled(self) -> bool:
        return self._accepts() or (self._child is not None and self._child.poll() is not None)

    def _accepts(self) -> bool:
        return self._layout.postgres_socket.exists() and _answers(self._layout, role=SUPERUSER, database="postgres")

    def _prepare_sockets(self, cluster: Cluster) -> None:
        identity = cluster.identity
        private_folder(self._layout.sockets, mode=0o711 if identity else 0o700)
        private_folder(
            self._layout.postgres_sockets,
            owner=identity.uid if identity else None,
            group=identity.gid if identity else None,
        )

    def _clear_away(self) -> None:
        """End servers that still work in the cluster but answer nobody, then remove their stale marks.

        Only after the last of them is gone may the pid file go: it is what keeps two servers off one cluster. A pid
        file whose number now belongs to somebody else (or to a zombie) would otherwise block every start.
        """
        cluster = self._layout.cluster
        left = [server.pid for server in working_in(cluster, NAME)]
        if left and not end(left, signals=_CLEAR_AWAY):
            raise EmbeddedError(f"An earlier PostgreSQL (process {left[0]}) still runs in {cluster}: stop it first.")
        socket = self._layout.postgres_socket
        for stale in (cluster / "postmaster.pid", socket, Path(f"{socket}.lock")):
            stale.unlink(missing_ok=True)

    def _command(self, cluster: Cluster) -> list[str]:
        settings = _SETTINGS | {"unix_socket_directories": str(self._layout.postgres_sockets)}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [str(cluster.programs / "postgres"), "-D", str(cluster.folder), *options]


def _connect(layout: Paths, *, role: str, database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(layout.postgres_sockets),
        port=POSTGRES_PORT,
        user=role,
        dbname=database,
        connect_timeout=5,
        autocommit=True,
    )


def _answers(layout: Paths, *, role: str, database: str) -> bool:
    if not layout.postgres_socket.exists():
        return False
    try:
        _connect(layout, role=role, database=database).close()
    except psycopg.OperationalError:
        return False
    return True


def _make_role_and_database(layout: Paths) -> None:
    """The application owns its database but is no superuser; CREATEDB lets the tests make theirs."""
    with _connect(layout, role=SUPERUSER, database="postgres") as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(ROLE)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
            )
