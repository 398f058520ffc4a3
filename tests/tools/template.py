"""A migrated database that test databases are copied from: migrating takes most of a minute, a copy half a second."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from psycopg.sql import SQL, Identifier

ROOT = Path(__file__).resolve().parents[2]
_PREFIX = "migrated_"
_LOCK = 7_301


def migrated() -> str:
    """The name of a database with today's migrations; made by whoever asks first while the others wait."""
    name = _PREFIX + _fingerprint()
    parameters = connection.get_connection_params() | {"dbname": "postgres"}
    known = {key: parameters[key] for key in ("dbname", "host", "port", "user", "password") if parameters.get(key)}
    with psycopg.connect(**known, autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        if not _exists(server, name):
            _drop_older(server)
            _make(server, name)
    return name


def _fingerprint() -> str:
    """Of everything that decides what the tables look like: our migrations and the versions of packages."""
    digest = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _exists(server: psycopg.Connection[Any], name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _drop_older(server: psycopg.Connection[Any]) -> None:
    older = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_PREFIX]).fetchall()
    for (name,) in older:
        server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def _make(server: psycopg.Connection[Any], name: str) -> None:
    unfinished = f"{name}_unfinished"
    server.execute(SQL("CREATE DATABASE {}").format(Identifier(unfinished)))
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    environment = os.environ | {"VAULTADMIN_DATABASE_NAME": unfinished}
    subprocess.run(command, env=environment, cwd=ROOT, check=True, timeout=600)
    server.execute(SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(unfinished), Identifier(name)))
