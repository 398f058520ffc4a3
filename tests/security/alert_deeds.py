"""The forms of alerts."""

from __future__ import annotations

from typing import Any

from tests.security.deed import KEY, Deed, World, nothing

_V = "v/<int:vault_id>/admin/"
_RULE = f"{_V}alerts/rules/<int:alert_rule_id>/"


def wants_rule(_world: World) -> dict[str, Any]:
    return {"kind": "silence", "window": "60", "is_active": "on", "creation_key": KEY}


def edits_rule(_world: World) -> dict[str, Any]:
    return {"kind": "backlog", "threshold": "45", "is_active": "on", "by_mail": "on"}


def snoozes(_world: World) -> dict[str, Any]:
    return {"hours": "24", "note": "The receiver is being moved"}


DEEDS = [
    Deed(f"{_V}connections/<connection:api_name>/alerts/add/", wants_rule, creates=True),
    Deed(f"{_V}queues/<slug:queue_name>/alerts/add/", wants_rule, creates=True),
    Deed(f"{_RULE}edit/", edits_rule),
    Deed(f"{_RULE}delete/", nothing),
    Deed(f"{_V}alerts/<int:alert_id>/snooze/", snoozes),
]
