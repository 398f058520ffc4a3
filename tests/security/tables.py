"""What the database holds, as one comparable value."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection, models

# Written by every request or by the counters of the door, not by the deed itself.
BESIDES = {"sessions.Session", "usersessions.UserSession", "vaultadmin.AttemptWindow"}
_APPS = ("vaultadmin", "connections", "ecoa", "mfa", "axes", "account")
Rows = dict[str, dict[str, dict[str, Any]]]


@cache
def kept_models() -> dict[str, type[models.Model]]:
    found = [model for model in apps.get_models() if model._meta.app_label in _APPS and model._meta.managed]
    return {model._meta.label: model for model in found if model._meta.label not in BESIDES}


def content() -> Rows:
    """Every row of every table by label and key, read with one statement."""
    parts = [
        f"SELECT '{label}', to_jsonb(t)::text FROM {connection.ops.quote_name(model._meta.db_table)} t"
        for label, model in kept_models().items()
    ]
    found: Rows = {label: {} for label in kept_models()}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        for label, text in cursor.fetchall():
            row = json.loads(text)
            # Django's own note of the moment, written while the door opens; the session is what lets people in.
            row.pop("last_login", None)
            found[label][_key(label, row)] = row
    return found


def differences(before: Rows, after: Rows) -> list[str]:
    """The rows that came, went or changed, in words."""
    return sorted(
        f"{label} {key}"
        for label in before
        for key in before[label].keys() | after[label].keys()
        if before[label].get(key) != after[label].get(key)
    )


def _key(label: str, row: dict[str, Any]) -> str:
    key = kept_models()[label]._meta.pk
    return json.dumps(row) if isinstance(key, models.CompositePrimaryKey) else str(row[str(key.column)])
