"""How tests get round the triggers of the audit trail and of signatures, as a forger would.

The product has no such switch; only the owner of the tables can do this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

_TABLES = ("vaultadmin_auditevent", "vaultadmin_audithead", "vaultadmin_signature")


@contextmanager
def lifted(tables: Iterable[str] = _TABLES) -> Iterator[Any]:
    """A cursor for which they are ordinary tables."""
    names = [connection.ops.quote_name(table) for table in tables]
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
        try:
            yield cursor
        finally:
            for name in names:
                cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")
