"""One of everything the addresses of incoming messages name."""

from __future__ import annotations

from typing import Any

from connections.constants import IncomingState
from connections.models import FiledMessage
from connections.processing import filing
from tests.factories.incoming import make_incoming
from tests.factories.spark import make_inbound
from vaultadmin import clock
from vaultadmin.models import Membership


def build(owner: Membership) -> dict[str, Any]:
    """A message whose processing was given up, and one that was filed."""
    now = clock.now()
    queue = make_inbound(owner, processor=filing.NAME, name="guarded_in__c")
    parked = make_incoming(queue, None, state=IncomingState.SET_ASIDE.value, due_at=None, settled_at=now)
    read = make_incoming(queue, None, state=IncomingState.PROCESSED.value, due_at=None, settled_at=now)
    filed = FiledMessage.objects.create(vault=owner.vault, message=read, filed_at=now)
    return {
        "incoming_id": parked.pk,
        "filed_id": filed.pk,
        "spark:queue_name": queue.name,
    }
