"""Where this installation lives: marks outside its tables, to tell the original from a copy (security.md K7).

A copied database says it is the original: it holds the identity and, with a copied keyring, the keys. What a copy
cannot hold is compared with what was recorded: the database server and database it runs in, the data folder's own
place on its disk where the database lives in it, and the public address people configured.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from vaultadmin.embedded.folders import write_private
from vaultadmin.models import Installation

DATABASE, FOLDER, ADDRESS = "Database", "Data folder", "Public address"
HELD = (
    "This installation was started from a copy, or in another place than before. Until an operator says which, "
    "nothing is sent to other Vaults, eCOA or by mail."
)


def marks() -> dict[str, str]:
    """The marks of the place this process runs in, by name. An address nobody configured is none."""
    found = {DATABASE: _database(connection.settings_dict["NAME"])}
    if settings.PLACE_FILE is not None:
        found[FOLDER] = _folder(settings.PLACE_FILE)
    if settings.PLACE_ADDRESS:
        found[ADDRESS] = settings.PLACE_ADDRESS
    return found


def differences(known: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Which recorded marks are others here: by name what was recorded, and what is found.

    Nothing differs as long as nothing is recorded. A command in a shell that lacks the address is not judged by it.
    """
    if not known:
        return {}
    found = marks()
    return {name: (was, found[name]) for name, was in known.items() if found.get(name, was) != was}


def recorded() -> dict[str, str]:
    """The marks as last recorded or confirmed by a person; empty when nothing is. One query."""
    return Installation.objects.filter(singleton=True).values_list("place", flat=True).first() or {}


def held() -> bool:
    """Must nothing leave this installation until somebody says what it is? One query."""
    return bool(differences(recorded()))


def only_at_home(task: Callable[..., None]) -> Callable[..., None]:
    """A periodic task that does nothing while the installation is held; what is due stays due."""

    @wraps(task)
    def guarded(*args: Any, **kwargs: Any) -> None:
        if not held():
            task(*args, **kwargs)

    return guarded


@lru_cache(maxsize=4)
def _database(name: str) -> str:
    """The server's own number, which a dump does not carry along, and the database's; `name` is for the cache."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_function_privilege('pg_control_system()', 'EXECUTE')")
        may_ask = cursor.fetchone()[0]
        cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
        [number] = cursor.fetchone()
        if may_ask:
            cursor.execute("SELECT system_identifier FROM pg_control_system()")
        server = cursor.fetchone()[0] if may_ask else 0
        return f"{server}/{number}"


@lru_cache(maxsize=4)
def _folder(file: Path) -> str:
    """A random number kept in the folder, and which file of its disk that is: a copied folder has other files."""
    if not file.exists():
        _publish(file)
    return f"{file.read_text(encoding='ascii')}/{file.stat().st_ino}"


def _publish(file: Path) -> None:
    """Put a complete file in place; of several processes that start at once all read the winner's."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    write_private(draft, secrets.token_hex(6).encode("ascii"))
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
