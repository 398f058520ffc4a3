"""A rule that watches a queue, and an alert of it that fires."""

from __future__ import annotations

from typing import Any

from connections.constants import AlertKind, QueueType
from connections.models import Alert, Queue
from connections.services.messages import alerts
from connections.services.messages.alerts import Wanted
from vaultadmin import clock
from vaultadmin.models import Membership


def build(owner: Membership) -> dict[str, Any]:
    """Ids by argument name, as tests.guards.objects wants them; `spark_objects` made the queue."""
    now = clock.now()
    queue = Queue.objects.filter(vault=owner.vault_id, type=QueueType.OUTBOUND).earliest("pk")
    rule = alerts.create(wanted=Wanted(AlertKind.BACKLOG, threshold=30), by=owner, now=now, queue=queue)
    alert = Alert.objects.create(vault=owner.vault, rule=rule, opened_at=now, reason="A message waits.")
    return {"alert_rule_id": rule.pk, "alert_id": alert.pk}
