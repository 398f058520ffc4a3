"""Look after the rules: an alert opens where one finds too much and ends where it does not. A tick's work.

Everything is derived from rows, one rule and one transaction at a time; a second look finds nothing to do, and two at
once open one alert.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from connections.constants import AlertEnd, CallSubject
from connections.models import Alert, AlertRule
from connections.watching import telling
from connections.watching.measuring import Finding, measure
from vaultadmin import audit

ACTOR = audit.System("Alert rules")


def look(*, now: datetime) -> int:
    """Look at every active rule; returns how many alerts opened or ended."""
    firing = set(Alert.objects.open().values_list("rule_id", flat=True))
    rules = AlertRule.objects.filter(is_active=True).select_related("vault", "queue", "connection")
    moved = sum(
        _act(rule.pk, now) for rule in rules.iterator(200) if measure(rule, now=now).is_on != (rule.pk in firing)
    )
    telling.tell_of_ended_snoozes(now=now)
    return moved


def end(rule: AlertRule, *, now: datetime) -> None:
    """The rule does not watch any more, or something else: its alert ends. Inside the caller's transaction."""
    alert = Alert.objects.open().select_for_update().filter(rule=rule).first()
    if alert is not None:
        _close(alert, rule, AlertEnd.NOT_WATCHED, now)


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
        _open(rule, found, now)
    elif not found.is_on and alert is not None:
        _close(alert, rule, AlertEnd.RESOLVED, now)
    else:
        return 0
    return 1


def _open(rule: AlertRule, found: Finding, now: datetime) -> None:
    alert = Alert.objects.create(vault=rule.vault, rule=rule, opened_at=now, reason=found.reason)
    telling.tell(alert, rule, CallSubject.FIRING, now=now)
    changes: audit.Changes = {"alert": (None, "firing")}
    audit.record(vault=rule.vault, by=ACTOR, event="alert.fired", subject=rule, changes=changes, reason=found.reason)


def _close(alert: Alert, rule: AlertRule, ended_by: AlertEnd, now: datetime) -> None:
    alert.closed_at, alert.ended_by = now, ended_by.value
    alert.save(update_fields=["closed_at", "ended_by"])
    telling.tell(alert, rule, CallSubject.RESOLVED, now=now)
    changes: audit.Changes = {"alert": ("firing", None)}
    audit.record(
        vault=rule.vault, by=ACTOR, event="alert.ended", subject=rule, changes=changes, reason=str(ended_by.label)
    )
