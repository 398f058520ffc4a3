"""PostgreSQL refuses to run as root, so a server started by root runs as an ordinary user with no log-in."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from vaultadmin.embedded.errors import EmbeddedError
from vaultadmin.embedded.paths import runs_as_root
from vaultadmin.embedded.processes import Identity

_NAME = "vaultadmin"
_MAKERS = (
    ("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", _NAME),
    ("adduser", "-S", "-D", "-H", "-h", "/nonexistent", _NAME),
)
_FALLBACKS = ("postgres", "nobody")


def server_identity(cluster: Path) -> Identity | None:
    """Return whom the server of this cluster runs as; None when that is simply ourselves.

    A cluster that exists keeps its owner, whatever other users come or go.
    """
    owner = _owner(cluster)
    if not runs_as_root():
        if owner is not None and owner.uid != os.geteuid():
            raise EmbeddedError(
                f"{cluster} belongs to another user: start as that user, or choose another data folder."
            )
        return None
    if owner is not None and owner.uid != 0:
        return owner
    return _find(_NAME) or _make() or _fallback()


def _owner(cluster: Path) -> Identity | None:
    try:
        found = cluster.stat()
    except FileNotFoundError:
        return None
    return Identity(found.st_uid, found.st_gid)


def _find(name: str) -> Identity | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Identity(entry.pw_uid, entry.pw_gid) if entry.pw_uid != 0 else None


def _make() -> Identity | None:
    for command in _MAKERS:
        program = shutil.which(command[0], path="/usr/sbin:/sbin:/usr/bin:/bin")
        if program is None:
            continue
        done = subprocess.run([program, *command[1:]], capture_output=True, check=False, timeout=30)
        if done.returncode == 0 or _find(_NAME):
            return _find(_NAME)
    return None


def _fallback() -> Identity:
    for name in _FALLBACKS:
        if identity := _find(name):
            return identity
    raise EmbeddedError(
        "PostgreSQL cannot run as root and no ordinary user could be made: "
        "add a user named vaultadmin, or start as an ordinary user."
    )
