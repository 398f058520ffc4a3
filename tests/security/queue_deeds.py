"""Everything a Vault Owner can do to queues by posting a form."""

from __future__ import annotations

from typing import Any

from connections.models import Queue, QueueConnection
from tests.factories.connections import make_external
from tests.factories.spark import put
from tests.security.deed import KEY, Deed, World

_QUEUES = "v/<int:vault_id>/admin/queues/"
_ONE = f"{_QUEUES}<slug:queue_name>/"
_LINK = f"{_ONE}connections/<int:link_id>/"


def the_queue(world: World) -> Queue:
    return Queue.objects.get(vault=world.place.vault, name=world.ids["queue_name"])


def creates(_world: World) -> dict[str, Any]:
    return {"creation_key": KEY, "label": "Fresh queue", "name": "fresh__c"}


def create_path(world: World) -> str:
    return f"/v/{world.place.vault.pk}/admin/queues/create/?type=outbound"


def edits(world: World) -> dict[str, Any]:
    return {"seen": the_queue(world).modified_at.isoformat(), "label": "Guarded anew", "description": "Changed"}


def confirms(world: World) -> dict[str, Any]:
    return {"confirmation": world.ids["queue_name"], "reason": "Not needed"}


def resets(world: World) -> dict[str, Any]:
    put(the_queue(world), world.owner)
    return confirms(world)


def adds_link(world: World) -> dict[str, Any]:
    return {"connection": make_external(world.owner).api_name}


def edits_link(world: World) -> dict[str, Any]:
    link = QueueConnection.objects.get(pk=world.ids["link_id"])
    return {"seen": link.modified_at.isoformat(), "label": "Receiver", "is_active": "on"}


DEEDS = [
    Deed(f"{_QUEUES}create/", creates, creates=True, path=create_path),
    Deed(f"{_ONE}edit/", edits),
    Deed(f"{_ONE}status/", lambda _world: {"status": "inactive"}),
    Deed(f"{_ONE}delivery/", lambda _world: {"delivery": "disabled"}),
    Deed(f"{_ONE}reset/", resets),
    Deed(f"{_ONE}delete/", confirms),
    Deed(f"{_ONE}connections/add/", adds_link),
    Deed(f"{_ONE}test-message/", lambda _world: {"key": KEY}, creates=True),
    Deed(f"{_LINK}edit/", edits_link),
    Deed(f"{_LINK}remove/", lambda _world: {}),
]
