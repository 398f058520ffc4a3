"""Look after the rules: an alert opens where one finds too much and ends where it does not. A tick's work.

Everything is derived from rows, one rule and one transaction at a time; a second look finds nothing to do, and two at
once open one alert.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from connections.constants import AlertEnd
from connections.models import Alert, AlertRule
from connections.services.messages import alerting
from connections.watching import telling
from connections.watching.measuring import measure


def look(*, now: datetime) -> int:
    """Look at every active rule; returns how many alerts opened or ended."""
    firing = set(Alert.objects.open().values_list("rule_id", flat=True))
    rules = AlertRule.objects.filter(is_active=True).select_related("vault", "queue", "connection")
    moved = sum(
        _act(rule.pk, now) for rule in rules.iterator(200) if measure(rule, now=now).is_on != (rule.pk in firing)
    )
    telling.tell_of_ended_snoozes(now=now)
    return moved


@transaction.atomic
def _act(pk: int, now: datetime) -> int:
    """One rule under its lock, measured again: whoever held it may have acted already."""
    rows = AlertRule.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    rule = rows.select_related("vault", "queue", "connection").filter(pk=pk, is_active=True).first()
    if rule is None:
        return 0
    alert = Alert.objects.open().select_for_update().filter(rule=rule).first()
    found = measure(rule, now=now)
    if found.is_on and alert is None:
        alerting.begin(rule, reason=found.reason, now=now)
    elif not found.is_on and alert is not None:
        alerting.end(alert, rule, AlertEnd.RESOLVED, now=now)
    else:
        return 0
    return 1
