"""Private folders and files: made with the right mode, and refused when somebody else got there first."""

import os
import secrets
import stat
from pathlib import Path

from vaultadmin.embedded.errors import EmbeddedError

_ROTATE_LOGS_AT = 10 * 1024 * 1024


def private_folder(folder: Path, *, mode: int = 0o700, owner: int | None = None, group: int | None = None) -> Path:
    """Make a folder (parents too) with exactly this mode and owner, and return it.

    Below a folder anybody may write to, an attacker could have placed a folder or a link of that name first: a link,
    or a folder of a third user, is refused.
    """
    allowed = {os.geteuid(), os.geteuid() if owner is None else owner}
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in allowed:
            raise EmbeddedError(f"{folder} belongs to another user or is not a folder: move it away and start again.")
        if stat.S_IMODE(found.st_mode) != mode:
            folder.chmod(mode)
        if owner is not None and owner != found.st_uid:
            os.chown(folder, owner, -1 if group is None else group)
    except OSError as error:
        raise EmbeddedError(f"The folder {folder} cannot be prepared: {error.strerror or error}.") from error
    return folder


def write_private(file: Path, content: bytes) -> None:
    """Replace a file in one step, readable by its owner alone at every instant."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    draft.replace(file)


def kept_secret(file: Path) -> str:
    """Read a random secret, making it on first use. Two processes that race get the same one."""
    try:
        return file.read_text(encoding="ascii")
    except FileNotFoundError:
        pass
    private_folder(file.parent)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    write_private(draft, secrets.token_urlsafe(32).encode("ascii"))
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_text(encoding="ascii")


def open_log(file: Path) -> int:
    """Open a log for appending and return the descriptor; a log that has grown large is set aside first."""
    if file.exists() and file.stat().st_size > _ROTATE_LOGS_AT:
        file.replace(file.with_suffix(".old.log"))
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def last_words(file: Path, lines: int = 3) -> str:
    """The end of a log, for the sentence that reports a failed start."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return " | ".join(line.strip() for line in text.strip().splitlines()[-lines:])
