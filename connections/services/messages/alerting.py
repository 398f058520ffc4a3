"""An alert begins and ends, and people and programs are told: always inside the caller's transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from connections.constants import AlertEnd, CallSubject
from connections.models import Alert, AlertCall, AlertRule
from connections.selectors.operators import operators
from vaultadmin import audit
from vaultadmin.worklist import notices

ACTOR = audit.System("Alert rules")
TOPIC = "connections.alert"


def begin(rule: AlertRule, *, reason: str, now: datetime) -> None:
    """The rule found too much: its alert opens."""
    alert = Alert.objects.create(vault=rule.vault, rule=rule, opened_at=now, reason=reason)
    tell(alert, rule, CallSubject.FIRING, now=now)
    changes: audit.Changes = {"alert": (None, "firing")}
    audit.record(vault=rule.vault, by=ACTOR, event="alert.fired", subject=rule, changes=changes, reason=reason)


def end(alert: Alert, rule: AlertRule, ended_by: AlertEnd, *, now: datetime) -> None:
    """An open alert of the rule ends."""
    alert.closed_at, alert.ended_by = now, ended_by.value
    alert.save(update_fields=["closed_at", "ended_by"])
    tell(alert, rule, CallSubject.RESOLVED, now=now)
    changes: audit.Changes = {"alert": ("firing", None)}
    audit.record(
        vault=rule.vault, by=ACTOR, event="alert.ended", subject=rule, changes=changes, reason=str(ended_by.label)
    )


def end_unwatched(rule: AlertRule, *, now: datetime) -> None:
    """The rule does not watch any more, or something else: its alert ends."""
    alert = Alert.objects.open().select_for_update().filter(rule=rule).first()
    if alert is not None:
        end(alert, rule, AlertEnd.NOT_WATCHED, now=now)


def tell(alert: Alert, rule: AlertRule, subject: CallSubject, *, now: datetime) -> None:
    """Write the mails and the call of one change."""
    if rule.by_mail:
        data = {"alert": alert.pk, "subject": subject.value}
        key = f"{alert.pk}:{subject.value}:{now:%Y%m%d%H%M}"
        notices.tell(vault=rule.vault, topic=TOPIC, subject=key, to=operators(rule.vault), now=now, data=data)
    if rule.webhook_url:
        AlertCall.objects.create(alert=alert, call_id=uuid4(), subject=subject, created_at=now, due_at=now)
