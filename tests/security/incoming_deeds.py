"""The forms for messages whose processing was given up, and the test message of a connection."""

from __future__ import annotations

from typing import Any

from tests.factories.spark import make_outbound
from tests.security.deed import KEY, Deed, World, nothing, reason

_ONE = "v/<int:vault_id>/admin/messages/incoming/<int:incoming_id>/"
_RECORD = "v/<int:vault_id>/admin/connections/<connection:api_name>/"


def sends_test_message(world: World) -> dict[str, Any]:
    queue = make_outbound(world.owner, world.connection(), deliver_to="arrivals__c")
    return {"key": KEY, "queue": queue.pk}


DEEDS = [
    Deed(f"{_ONE}process-again/", nothing),
    Deed(f"{_ONE}remove/", reason),
    Deed(f"{_RECORD}test-message/", sends_test_message, creates=True),
]
