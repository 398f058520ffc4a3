"""One queue with its connection in a vault."""

from __future__ import annotations

from typing import Any

from connections.constants import QueueType
from connections.services import creating
from connections.services.messages import queue_links, queues
from vaultadmin import clock
from vaultadmin.models import Membership


def build(owner: Membership) -> dict[str, Any]:
    """Ids by argument name, as tests.guards.objects wants them."""
    connection = creating.create_external(
        name="Guarded receiver",
        api_name=f"guarded_receiver_{owner.vault_id}",
        url="https://receiver.example.com/",
        by=owner,
        now=clock.now(),
    )
    queue = queues.create(
        name=f"guarded_{owner.vault_id}__c", label="Guarded", type=QueueType.OUTBOUND, by=owner, now=clock.now()
    )
    link = queue_links.add(queue=queue, connection=connection, by=owner, now=clock.now())
    return {"queue_name": queue.name, "link_id": link.pk}
