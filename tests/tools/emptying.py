"""How the database is emptied after a test that committed: only what holds rows.

Django truncates every table, which makes new files for each of them and of its indexes: a fifth of a second of the
server's time a test, most of which write to a dozen tables.
"""

from __future__ import annotations

from functools import cache
from graphlib import TopologicalSorter
from typing import Any

from django.core.management.commands import flush
from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations
from psycopg.sql import SQL, Identifier

from tests.tools.append_only import lifted

# Filled by the migrations: every test begins with what an installation begins with.
_KEPT = {"django_content_type", "auth_permission", "ecoa_servicerevision"}
# References that are not checked at the end of the transaction, but with each statement.
_AT_ONCE = """
SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
 WHERE contype = 'f' AND NOT condeferrable AND conrelid <> confrelid
"""


def only_what_holds_rows() -> None:
    """From now on the flush after a transactional test costs what the test wrote."""

    def empty(_self: DatabaseOperations, _statements: list[str]) -> None:
        _empty()

    def written_already(*_arguments: Any, **_options: Any) -> None:
        """Content types and permissions are still there."""

    DatabaseOperations.execute_sql_flush = empty  # type: ignore[method-assign, assignment]
    flush.emit_post_migrate_signal = written_already  # type: ignore[attr-defined]


def _empty() -> None:
    """The lock waits for what a process of the test is still writing, as TRUNCATE does."""
    tables = [Identifier(name) for name in _all_tables()]
    looks = [SQL("SELECT {}, EXISTS (SELECT FROM {})").format(table.as_string().strip('"'), table) for table in tables]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(SQL("LOCK TABLE {}").format(SQL(", ").join(tables)))
            cursor.execute(SQL(" UNION ALL ").join(looks))
            filled = [name for name, holds_rows in cursor.fetchall() if holds_rows]
        with lifted(filled) as cursor:
            for name in filled:
                cursor.execute(SQL("DELETE FROM {}").format(Identifier(name)))
            # Before the triggers come back: no table is altered while its rows are still to be looked at.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@cache
def _all_tables() -> tuple[str, ...]:
    """Those that refer to others first."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    graph: dict[str, set[str]] = {name: set() for name in sorted(names) if name not in _KEPT}
    with connection.cursor() as cursor:
        cursor.execute(_AT_ONCE)
        for referring, referred in cursor.fetchall():
            graph.get(referred, set()).add(referring)
    return tuple(name for name in TopologicalSorter(graph).static_order() if name in graph)
