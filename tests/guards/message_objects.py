"""One of everything the addresses of the operators' screens name."""

from __future__ import annotations

from typing import Any

from connections.constants import AttemptOutcome, CopyState
from connections.models import DeliveryAttempt, MessageCopy
from connections.services.messages import holding, replaying
from tests.factories.connections import make_external
from tests.factories.spark import make_outbound, put
from vaultadmin import clock
from vaultadmin.models import Membership


def build(owner: Membership) -> dict[str, Any]:
    """A message that was given up after one attempt, a plan to send it again, and a connection held back."""
    now = clock.now()
    connection = make_external(owner, name="Guarded receiver", api_name=f"guarded_out_{owner.vault_id}")
    queue = make_outbound(owner, connection, name="guarded_out__c")
    copy = MessageCopy.objects.get(message_id=put(queue, owner, now=now).copies[0].message_id)
    MessageCopy.objects.filter(pk=copy.pk).update(state=CopyState.FAILED, attempts=1, due_at=None, settled_at=now)
    DeliveryAttempt.objects.create(
        copy=copy,
        number=1,
        execution_id=copy.content.execution_id,
        certificate_id="00001",
        url=connection.url,
        started_at=now,
        ended_at=now,
        outcome=AttemptOutcome.REFUSED,
        status=410,
    )
    replay = replaying.plan(values={"state": "failed"}, words="Failed messages", by=owner, now=now)
    held = holding.hold(reason="Guarded", by=owner, now=now, connection=connection)
    return {"message_id": copy.message_id, "attempts:number": 1, "replay_id": replay.pk, "hold_id": held.pk}
