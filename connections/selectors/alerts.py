"""Questions of the alert pages."""

from __future__ import annotations

from django.db.models import QuerySet

from connections.models import Alert, AlertCall, AlertRule, Connection, Queue
from vaultadmin.models import Membership
from vaultadmin.together import Asking


def alerts(member: Membership, *, with_ended: bool) -> QuerySet[Alert]:
    """Visible alerts with their rules, those that fire or all; pages order them by key."""
    found = Alert.objects.visible_to(member)
    rows = found if with_ended else found.open()
    return rows.select_related("rule__queue", "rule__connection", "snoozed_by__user")


def find(member: Membership, pk: int) -> Alert | None:
    """One visible alert."""
    return alerts(member, with_ended=True).filter(pk=pk).first()


def rules_of(
    member: Membership, *, queue: Queue | None = None, connection: Connection | None = None
) -> Asking[list[AlertRule]]:
    """Visible rules of a queue or a connection, each with the alert that fires as `firing`; of all with neither."""
    rows = AlertRule.objects.visible_to(member).select_related("queue", "connection")
    if queue is not None:
        rows = rows.filter(queue=queue)
    elif connection is not None:
        rows = rows.filter(connection=connection)
    (rules,) = yield (rows.order_by("pk"),)
    firing = Alert.objects.open().filter(rule__in=[rule.pk for rule in rules])
    (alerts,) = yield (firing.select_related("snoozed_by__user"),)
    for rule in rules:
        rule.firing = [alert for alert in alerts if alert.rule_id == rule.pk]
    return rules


def find_rule(member: Membership, pk: int) -> AlertRule | None:
    """One visible rule with what it watches."""
    rows = AlertRule.objects.visible_to(member).select_related("queue", "connection", "secret", "vault")
    return rows.filter(pk=pk).first()


def newest(rule: AlertRule, *, number: int) -> list[Alert]:
    """The last alerts of a rule, newest first."""
    return list(rule.alerts.select_related("snoozed_by__user").order_by("-pk")[:number])


def calls(rule: AlertRule, *, number: int) -> list[AlertCall]:
    """The last webhook calls of a rule, newest first."""
    return list(AlertCall.objects.filter(alert__rule=rule).order_by("-pk")[:number])
