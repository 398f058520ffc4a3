"""What people decide about alerts: rules, and that an alert can wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction

from connections import rules
from connections.constants import AlertKind, QueueType
from connections.models import Alert, AlertRule, Connection, Queue
from connections.services.messages import alerting
from connections.services.refusals import Refused
from vaultadmin import audit, secrets
from vaultadmin.models import Membership, User
from vaultadmin.permissions import Permission, can, ensure

PURPOSE = "alert.webhook"
LONGEST_SNOOZE = timedelta(days=30)
SHORTEST_SECRET = 16
MOST_RULES = 200
# How far back each kind looks at most, in minutes: what is kept of the traffic.
_LONGEST = {AlertKind.FAILURES: 24 * 60, AlertKind.SILENCE: 7 * 24 * 60, AlertKind.BACKLOG: 30 * 24 * 60}
AUDITED = [
    "queue",
    "connection",
    "kind",
    "threshold",
    "window",
    "is_active",
    "by_mail",
    "webhook_url",
]


@dataclass(frozen=True)
class Wanted:
    """A rule as somebody wants it; `webhook_secret` is empty to keep the stored one."""

    kind: str
    threshold: int | None = None
    window: int | None = None
    is_active: bool = True
    by_mail: bool = True
    webhook_url: str = ""
    webhook_secret: str = ""


def needed(queue: Queue | None) -> Permission:
    """Who may change rules: those of a queue who administers queues, those of a connection who may edit it."""
    return Permission.SPARK_QUEUES if queue is not None else Permission.CONNECTION_EDIT


def refusal_of(queue: Queue | None) -> str:
    """Why nothing of this queue can be watched; empty when it can."""
    return "A job queue has no connections to watch." if queue is not None and queue.type == QueueType.JOB else ""


def create(
    *,
    wanted: Wanted,
    by: Membership,
    now: datetime,
    queue: Queue | None = None,
    connection: Connection | None = None,
    creation_key: UUID | None = None,
) -> AlertRule:
    """Watch a queue, a connection, or one connection of a queue from now on."""
    ensure(by, needed(queue))
    made = AlertRule.objects.filter(vault=by.vault_id, creation_key=creation_key).first() if creation_key else None
    if made is not None:
        return made
    _check_place(queue, connection, by)
    with transaction.atomic():
        if AlertRule.objects.filter(vault=by.vault_id)[MOST_RULES - 1 : MOST_RULES].exists():
            raise Refused(f"This Vault has {MOST_RULES} alert rules already; delete one first.")
        rule = AlertRule(
            vault=by.vault,
            queue=queue,
            connection=connection,
            watched_since=now,
            creation_key=creation_key,
            created_at=now,
        )
        extra = _set(rule, wanted, by)
        rule.modified_at = now
        rule.save(force_insert=True)
        changes = audit.created(rule, AUDITED) | extra
        audit.record(vault=by.vault, by=by, event="alert_rule.created", subject=rule, changes=changes)
    return rule


def edit(*, rule: AlertRule, wanted: Wanted, by: Membership, now: datetime, seen: datetime | None = None) -> AlertRule:
    """Change a rule. What it watches anew is watched from now on, and its alert ends."""
    ensure(by, needed(rule.queue))
    with transaction.atomic():
        locked = _lock(rule, by)
        if seen is not None and locked.modified_at != seen:
            raise Refused("Somebody changed this rule since you opened it; look at it again before you save.")
        before, watched = audit.snapshot(locked, AUDITED), _watches(locked)
        extra = _set(locked, wanted, by)
        changes = audit.diff(before, locked, AUDITED) | extra
        if changes:
            locked.modified_at = now
            if _watches(locked) != watched:
                locked.watched_since = now
                alerting.end_unwatched(locked, now=now)
            locked.save()
            audit.record(vault=by.vault, by=by, event="alert_rule.edited", subject=locked, changes=changes)
    return locked


def delete(*, rule: AlertRule, by: Membership) -> None:
    """Remove a rule with its alerts; the audit trail keeps when it fired."""
    ensure(by, needed(rule.queue))
    with transaction.atomic():
        _remove(_lock(rule, by), by)


def let_go(*, by: Membership, queue: Queue | None = None, connection: Connection | None = None) -> int:
    """Remove the rules of a queue or connection about to be deleted, inside the caller's transaction."""
    rows = AlertRule.objects.select_for_update(of=("self",)).select_related("queue", "connection", "secret")
    found = list(rows.filter(queue=queue) if queue is not None else rows.filter(connection=connection))
    for rule in found:
        _remove(rule, by)
    return len(found)


def let_webhooks_go(*, by: User, reason: str) -> int:
    """A copied installation calls nobody the original calls; inside the caller's transaction."""
    rows = AlertRule.objects.select_for_update(of=("self",)).exclude(webhook_url="").select_related("secret", "vault")
    found = list(rows.order_by("pk"))
    for rule in found:
        changes: audit.Changes = {"Webhook URL": (rule.webhook_url, ""), "webhook secret": (audit.SECRET_CHANGED, None)}
        rule.webhook_url = ""
        _drop_secret(rule)
        audit.record(vault=rule.vault, by=by, event="alert_rule.edited", subject=rule, changes=changes, reason=reason)
    return len(found)


def may_snooze(member: Membership, alert: Alert) -> bool:
    """Who keeps messages moving, and who may change the rule."""
    return can(member, Permission.MESSAGES_OPERATE) or can(member, needed(alert.rule.queue))


def snooze(*, alert: Alert, until: datetime, note: str, by: Membership, now: datetime) -> None:
    """Ask for nobody's attention until a moment; if it still fires then, it is told of again."""
    ensure(by, Permission.MESSAGES_OPERATE, needed(alert.rule.queue))
    if not now < until <= now + LONGEST_SNOOZE:
        raise Refused(f"Choose an end within the next {LONGEST_SNOOZE.days} days.", field="hours")
    with transaction.atomic():
        rows = Alert.objects.open().filter(pk=alert.pk, vault=by.vault_id)
        if not rows.update(snoozed_until=until, snoozed_by=by, snooze_note=note):
            raise Refused("This alert is over.")
        changes: audit.Changes = {"snoozed until": (None, until.isoformat())}
        audit.record(vault=by.vault, by=by, event="alert.snoozed", subject=alert.rule, changes=changes, reason=note)


def _check_place(queue: Queue | None, connection: Connection | None, by: Membership) -> None:
    if queue is None and connection is None:
        raise Refused("Choose what is watched.")
    for row in (queue, connection):
        if row is not None and row.vault_id != by.vault_id:
            raise Refused("Choose a queue or connection of this Vault.")
    if refusal := refusal_of(queue):
        raise Refused(refusal)
    if queue is not None and connection is not None and not queue.connections.filter(connection=connection).exists():
        raise Refused("This connection does not belong to the queue.", field="connection")


def _watches(rule: AlertRule) -> tuple[object, ...]:
    return rule.kind, rule.threshold, rule.window, rule.is_active


def _set(rule: AlertRule, wanted: Wanted, by: Membership) -> audit.Changes:
    """Put the values in place; returns what the trail says about the secret, whose value it never holds."""
    kind = AlertKind(wanted.kind)
    rule.kind = kind.value
    rule.threshold, rule.window = _threshold(kind, wanted), _window(kind, wanted)
    rule.is_active, rule.by_mail = wanted.is_active, wanted.by_mail
    return _set_webhook(rule, wanted, by)


def _threshold(kind: AlertKind, wanted: Wanted) -> int | None:
    if kind is AlertKind.SILENCE:
        return None
    most, what = (100, "percent") if kind is AlertKind.FAILURES else (_LONGEST[kind], "minutes")
    if wanted.threshold is None or not 1 <= wanted.threshold <= most:
        raise Refused(f"Enter the {what} from which on it fires, 1 to {most:,}.", field="threshold")
    return wanted.threshold


def _window(kind: AlertKind, wanted: Wanted) -> int | None:
    if kind is AlertKind.BACKLOG:
        return None
    most = _LONGEST[kind]
    if wanted.window is None or not 5 <= wanted.window <= most:
        raise Refused(f"Enter how many minutes it looks back, 5 to {most:,}.", field="window")
    return wanted.window


def _set_webhook(rule: AlertRule, wanted: Wanted, by: Membership) -> audit.Changes:
    before, url, typed = rule.webhook_url, wanted.webhook_url, wanted.webhook_secret
    if url:
        try:
            rules.check_resolved_url(url)
        except rules.RuleBroken as error:
            raise Refused(str(error), field="webhook_url") from error
    if typed and len(typed) < SHORTEST_SECRET:
        raise Refused(f"The secret needs at least {SHORTEST_SECRET} characters.", field="webhook_secret")
    if url and not typed and (rule.secret is None or urlsplit(url).netloc != urlsplit(before).netloc):
        raise Refused("Enter the secret the calls to this host are signed with.", field="webhook_secret")
    rule.webhook_url = url
    if url and typed:
        return _put_secret(rule, typed, by)
    if not url and rule.secret is not None:
        _drop_secret(rule)
        return {"webhook secret": (audit.SECRET_CHANGED, None)}
    return {}


def _put_secret(rule: AlertRule, typed: str, by: Membership) -> audit.Changes:
    if rule.secret is not None:
        secrets.replace(rule.secret, value=typed, by=by)
        return {"webhook secret": (audit.SECRET_CHANGED, audit.SECRET_CHANGED)}
    rule.secret = secrets.store(vault=by.vault, purpose=PURPOSE, value=typed, by=by)
    return {"webhook secret": (None, audit.SECRET_CHANGED)}


def _drop_secret(rule: AlertRule) -> None:
    held, rule.secret = rule.secret, None
    rule.save(update_fields=["secret", "webhook_url"])
    if held is not None:
        secrets.discard(held)


def _remove(rule: AlertRule, by: Membership) -> None:
    changes: audit.Changes = {label: (value, None) for label, (_, value) in audit.created(rule, AUDITED).items()}
    audit.record(vault=by.vault, by=by, event="alert_rule.deleted", subject=rule, changes=changes)
    held = rule.secret
    rule.delete()
    if held is not None:
        secrets.discard(held)


def _lock(rule: AlertRule, by: Membership) -> AlertRule:
    rows = AlertRule.objects.select_for_update(of=("self",)).select_related("queue", "connection", "secret", "vault")
    found: AlertRule | None = rows.filter(pk=rule.pk, vault=by.vault_id).first()
    if found is None:
        raise Refused("Somebody deleted this rule meanwhile.")
    return found
