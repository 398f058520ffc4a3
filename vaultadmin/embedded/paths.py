"""Where everything lives inside (and, when it must be, outside) the data folder.

Pure: computing a layout touches nothing on disk, so settings may ask for it before any server runs.
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

# Unix sockets have a fixed buffer for their path: 108 bytes on Linux, 104 on macOS, the final NUL included.
SOCKET_PATH_LIMIT = 100
POSTGRES_PORT = 5432
_LONGEST_SOCKET_NAME = len(f"/postgres/.s.PGSQL.{POSTGRES_PORT}.lock")
# Only private folders below it, made and checked in folders.py.
_SHORT_ROOT = Path("/tmp")  # nosec B108
_SYSTEM_ROOT = Path("/var/lib")


@dataclass(frozen=True)
class Paths:
    """The layout of one data folder."""

    data: Path
    run: Path
    logs: Path
    tls: Path
    sockets: Path
    cluster: Path
    redis: Path

    @property
    def postgres_sockets(self) -> Path:
        """The folder in which PostgreSQL puts its socket; readable by the server's user alone."""
        return self.sockets / "postgres"

    @property
    def postgres_socket(self) -> Path:
        """The socket itself."""
        return self.postgres_sockets / f".s.PGSQL.{POSTGRES_PORT}"

    @property
    def redis_socket(self) -> Path:
        """The socket of Redis."""
        return self.sockets / "redis" / "redis.sock"

    @property
    def redis_password(self) -> Path:
        """The file that keeps the password of Redis."""
        return self.redis / "password"

    @property
    def ca_certificate(self) -> Path:
        """The throw-away certificate authority of a development installation."""
        return self.tls / "ca.pem"

    @property
    def cluster_pointer(self) -> Path:
        """Says where the cluster is when it cannot be inside the data folder."""
        return self.data / "postgres.path"

    def log(self, name: str) -> Path:
        """The log file of one child."""
        return self.logs / f"{name}.log"


def paths(data_dir: str | os.PathLike[str]) -> Paths:
    """Return the layout of a data folder. The same folder gives the same layout in every process."""
    data = Path(data_dir).expanduser().resolve()
    return Paths(
        data=data,
        run=data / "run",
        logs=data / "logs",
        tls=data / "tls",
        sockets=_sockets(data),
        cluster=_cluster(data),
        redis=data / "redis",
    )


def traversable_by_others(folder: Path) -> bool:
    """True when an ordinary user could walk from the root to this folder, as far as it exists."""
    for step in (folder, *folder.parents):
        try:
            mode = step.stat().st_mode
        except FileNotFoundError:
            continue
        except PermissionError:
            return False
        if not mode & stat.S_IXOTH:
            return False
    return True


def runs_as_root() -> bool:
    """PostgreSQL refuses to run as root, so root needs an ordinary user and folders that user can reach."""
    return os.geteuid() == 0


def _sockets(data: Path) -> Path:
    inside = data / "run"
    short_enough = len(os.fsencode(inside)) + _LONGEST_SOCKET_NAME <= SOCKET_PATH_LIMIT
    if short_enough and (not runs_as_root() or traversable_by_others(data)):
        return inside
    return _SHORT_ROOT / f"vaultadmin-{os.geteuid()}-{_fingerprint(data)}"


def _cluster(data: Path) -> Path:
    pointer = data / "postgres.path"
    try:
        return Path(pointer.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        pass
    inside = data / "postgres"
    if not runs_as_root() or inside.exists() or traversable_by_others(data):
        return inside
    return _SYSTEM_ROOT / f"vaultadmin-{_fingerprint(data)}" / "postgres"


def _fingerprint(data: Path) -> str:
    return hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
