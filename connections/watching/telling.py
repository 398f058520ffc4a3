"""The words of an alert: in a mail and on the vault's home; what still fires after its snooze is told of again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from connections.constants import CallSubject
from connections.models import Alert, QueueConnection
from connections.selectors import queues as selectors
from connections.services.messages import alerting
from vaultadmin import clock
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Mail, Trouble
from vaultadmin.standing import standing_for
from vaultadmin.together import Asking, rows_of, together

_SHOWN, _LOOKED_AT = 3, 20


def tell_of_ended_snoozes(*, now: datetime) -> int:
    """What still fires when its snooze ends is told of again; returns how many."""
    rows = Alert.objects.open().filter(snoozed_until__lte=now).select_related("rule__vault")
    ended = 0
    for alert in rows.order_by("snoozed_until")[:500]:
        with transaction.atomic():
            # Whoever clears the time tells; a second look at the same moment clears nothing.
            fresh = Alert.objects.open().filter(pk=alert.pk, snoozed_until=alert.snoozed_until)
            if fresh.update(snoozed_until=None, snoozed_by=None, snooze_note=""):
                alerting.tell(alert, alert.rule, CallSubject.FIRING, now=now)
                ended += 1
    return ended


def mail(member: Membership, _subject: str, data: dict[str, Any]) -> Mail | None:
    """The words of one mail; None when it is not so any more, or somebody said that it can wait."""
    rows = Alert.objects.visible_to(member).select_related("rule__queue", "rule__connection")
    alert = rows.filter(pk=data["alert"]).first()
    if alert is None:
        return None
    page = f"{settings.PUBLIC_URL}{reverse('connections:alerts', args=[member.vault_id])}"
    if data["subject"] == CallSubject.RESOLVED:
        if alert.closed_at is None:
            return None
        words = f"It fired from {_exact(alert.opened_at)} to {_exact(alert.closed_at)}. {alert.get_ended_by_display()}."
        return Mail(f"Over: {alert.rule}", (words, page))
    if alert.closed_at is not None or alert.snoozed_until is not None:
        return None
    return Mail(f"Alert: {alert.rule}", (alert.reason, f"Look at it, or snooze it:\n{page}"))


def troubles(member: Membership) -> Asking[list[Trouble]]:
    """One line on the home and the status page while alerts fire that nobody snoozed, however many they are.

    A queue that fails has a line of its own there, and what fires because of it is not told twice.
    """
    if not can(member, Permission.MESSAGES_OPERATE):
        return []
    asked: list[Asking[Any]] = [
        rows_of(_alerts(member)),
        selectors.failing(member, now=clock.now()),
        rows_of(_links(member)),
    ]
    found = _beyond_queues(*(yield from together(asked)))
    if not found:
        return []
    words = "; ".join(str(alert.rule) for alert in found[:_SHOWN]) + (" and more" if len(found) > _SHOWN else "")
    alone = len(found) == 1
    return [
        Trouble(
            title=str(found[0].rule) if alone else "Alerts fire",
            text=found[0].reason if alone else f"{words}.",
            since=found[0].opened_at,
            count="",
            url=reverse("connections:alerts", args=[member.vault_id]),
        )
    ]


@standing_for
def _alerts(member: Membership) -> QuerySet[Alert]:
    rows = Alert.objects.visible_to(member).asking()
    return rows.select_related("rule__queue", "rule__connection").order_by("opened_at")[:_LOOKED_AT]


@standing_for
def _links(member: Membership) -> QuerySet[QueueConnection, tuple[int, int]]:
    rows = Alert.objects.visible_to(member).asking()
    named = QueueConnection.objects.filter(connection__in=rows.order_by().values("rule__connection"))
    return named.order_by("pk").values_list("queue", "connection")


def _beyond_queues(alerts: list[Alert], failing: list[selectors.Failing], links: list[tuple[int, int]]) -> list[Alert]:
    """Those about no queue that has a line of its own, and about no connection of one."""
    queues = {one.queue.pk for one in failing}
    connections = {connection for queue, connection in links if queue in queues}
    return [
        alert
        for alert in alerts
        if not (
            alert.rule.queue_id in queues or (alert.rule.queue_id is None and alert.rule.connection_id in connections)
        )
    ]


def _exact(moment: datetime) -> str:
    return f"{moment:%d %b %Y %H:%M} UTC"
