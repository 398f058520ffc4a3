"""Fill the database of an installation that never ran, so that its first start has nothing to migrate."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import psycopg
from django.db import connection
from psycopg.sql import SQL, Identifier

from tests.tools import template
from vaultadmin.embedded.cluster import installed_programs

if TYPE_CHECKING:
    from tests.tools.installation import Installation


def plant(installation: Installation) -> None:
    """Put a copy of the tests' migrated database into its own PostgreSQL, which runs while that lasts."""
    installation.folder.mkdir(parents=True, exist_ok=True)
    dump = installation.folder.with_suffix(".sql")
    programs = str(installed_programs())
    dump.write_bytes(_dumped(programs))
    try:
        path = {"PATH": os.pathsep.join([programs, installation.environment.get("PATH", "")])}
        installation.manage("dbshell", "--", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(dump), variables=path)
    finally:
        dump.unlink()


def _dumped(programs: str) -> bytes:
    """From a copy: while somebody is connected to the migrated database nobody could copy it."""
    name, source = f"planted_{os.getpid()}", template.migrated()
    login = connection.get_connection_params() | {"dbname": "postgres"}
    known = {key: login[key] for key in ("dbname", "host", "port", "user", "password") if login.get(key)}
    command = [f"{programs}/pg_dump", "-h", str(known["host"]), "-p", str(known.get("port", 5432)), "-U", known["user"]]
    with psycopg.connect(**known, autocommit=True) as server:
        server.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(source)))
        try:
            environment = os.environ | {"PGPASSWORD": known.get("password", "")}
            return subprocess.run(
                [*command, "--no-owner", name], env=environment, check=True, capture_output=True, timeout=120
            ).stdout
        finally:
            server.execute(SQL("DROP DATABASE {}").format(Identifier(name)))
