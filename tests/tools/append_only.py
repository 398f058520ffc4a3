"""How tests get round the triggers of the audit trail and of signatures: emptying tables, and playing the forger.

The product has no such switch; only the owner of the tables can do this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

_TABLES = ("vaultadmin_auditevent", "vaultadmin_audithead", "vaultadmin_signature")


@contextmanager
def lifted() -> Iterator[Any]:
    """A cursor for which they are ordinary tables."""
    with connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            yield cursor
        finally:
            for table in _TABLES:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def let_tests_empty_tables() -> None:
    """Make the flush after a transactional test able to empty them, too."""
    flush = DatabaseOperations.execute_sql_flush

    def flush_all(self: DatabaseOperations, sql_list: list[str]) -> None:
        with lifted():
            flush(self, sql_list)

    DatabaseOperations.execute_sql_flush = flush_all  # type: ignore[method-assign, assignment]
