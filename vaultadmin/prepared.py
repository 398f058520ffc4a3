"""Statements the server keeps prepared: for what is asked so often that planning costs more than carrying it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections
from psycopg import Cursor


def fetch_one(statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The first row of a statement that does the same when it is carried out twice.

    A kept connection that ended meanwhile is found out by the statement itself, which is asked once more over a new
    one: asking before every call whether it still stands would cost each of them a round trip.
    """
    try:
        return _execute(statement, values)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or not _has_ended():
            raise
        connection.close()
        return _execute(statement, values)


def _execute(statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Django's own cursors write values into the text, so each of theirs is planned anew; here they go beside it."""
    mine = connections[DEFAULT_DB_ALIAS]
    mine.ensure_connection()
    with mine.wrap_database_errors, Cursor(mine.connection) as cursor:
        return cursor.execute(statement, values, prepare=True).fetchone()


def _has_ended() -> bool:
    return connection.connection is not None and connection.connection.closed
