"""Create, edit and switch Spark queues (veeva-core section 5.1): status and delivery are two switches."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from connections import processors, rules
from connections.constants import QueueType
from connections.models import Queue
from connections.services.messages import standstill
from connections.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

AUDITED = [
    "name",
    "label",
    "description",
    "type",
    "is_active",
    "delivery_enabled",
    "processor",
    "processor_user",
    "handler",
    "handler_user",
    "rollback_on_error",
    "sequential",
]
NAME_LABEL = "Name"
LABEL_LENGTH = 60
DESCRIPTION_LENGTH = 500
# Who sees queues: those who administer a type of them, and those who operate the messages in them.
VIEWERS = (Permission.SPARK_QUEUES, Permission.SDK_JOB_QUEUES, Permission.MESSAGES_OPERATE)
GONE = "Somebody deleted this queue meanwhile."


def needed(type: str) -> Permission:
    """Who may administer queues of this type."""
    return Permission.SDK_JOB_QUEUES if type == QueueType.JOB else Permission.SPARK_QUEUES


def create(
    *,
    name: str,
    label: str,
    type: str,
    by: Membership,
    now: datetime,
    description: str = "",
    processor: str = "",
    processor_user: Membership | None = None,
    handler: str = "",
    handler_user: Membership | None = None,
    rollback_on_error: bool = False,
    sequential: bool = False,
    creation_key: UUID | None = None,
) -> Queue:
    """A new queue, active and delivering, with nothing connected to it yet. Without a name it gets one by its label."""
    kind = QueueType(type)
    ensure(by, needed(kind))
    if again := _made_before(creation_key, by):
        return again
    name = name or _name_by(label, by)
    try:
        rules.check_own_name(name, label=NAME_LABEL)
    except rules.RuleBroken as error:
        raise Refused(str(error), field="name") from error
    queue = Queue(vault=by.vault, name=name, type=kind.value, creation_key=creation_key, created_at=now)
    _set(queue, label, description, processor, processor_user, handler, handler_user, rollback_on_error, sequential)
    try:
        with transaction.atomic():
            queue.modified_at = now
            queue.save(force_insert=True)
            changes = audit.created(queue, AUDITED)
            audit.record(vault=by.vault, by=by, event="queue.created", subject=queue, changes=changes)
    except IntegrityError as error:
        if again := _made_before(creation_key, by):
            return again
        raise Refused(f"This Vault already has a queue “{name}”; choose another name.", field="name") from error
    return queue


def edit(
    *,
    queue: Queue,
    label: str,
    by: Membership,
    now: datetime,
    description: str = "",
    processor: str = "",
    processor_user: Membership | None = None,
    handler: str = "",
    handler_user: Membership | None = None,
    rollback_on_error: bool = False,
    sequential: bool = False,
    seen: datetime | None = None,
) -> Queue:
    """Change everything but name and type."""
    ensure(by, needed(queue.type))
    with transaction.atomic():
        locked = lock(queue, by)
        if seen is not None and locked.modified_at != seen:
            raise Refused("Somebody changed this queue since you opened it; look at it again before you save.")
        before = audit.snapshot(locked, AUDITED)
        _set(
            locked, label, description, processor, processor_user, handler, handler_user, rollback_on_error, sequential
        )
        _save(locked, before, "queue.edited", by=by, now=now)
    return locked


def set_active(*, queue: Queue, active: bool, by: Membership, now: datetime) -> Queue:
    """The status switch: an inactive queue refuses new messages at once, what is in it goes on."""
    ensure(by, needed(queue.type))
    with transaction.atomic():
        locked = lock(queue, by)
        before = audit.snapshot(locked, AUDITED)
        locked.is_active = active
        _save(locked, before, "queue.activated" if active else "queue.inactivated", by=by, now=now)
    return locked


def delivery_refusal(queue: Queue) -> str:
    """Why delivery cannot be switched; empty when it can."""
    return "Processing of an inbound queue cannot be stopped." if queue.is_inbound else ""


def set_delivery(*, queue: Queue, enabled: bool, by: Membership, now: datetime) -> Queue:
    """The delivery switch: disabled, messages stay in the queue and their retry window stands still."""
    ensure(by, needed(queue.type))
    with transaction.atomic():
        locked = lock(queue, by)
        if refusal := delivery_refusal(locked):
            raise Refused(refusal)
        before = audit.snapshot(locked, AUDITED)
        if locked.delivery_enabled != enabled:
            locked.delivery_enabled, locked.delivery_changed_at = enabled, now
        event = "queue.delivery_enabled" if enabled else "queue.delivery_disabled"
        _save(locked, before, event, by=by, now=now)
        standstill.note(queue=locked, now=now)
    return locked


def lock(queue: Queue, by: Membership) -> Queue:
    """The queue as it is now, held until the transaction ends."""
    rows = Queue.objects.select_for_update(no_key=True, of=("self",)).select_related("vault")
    found: Queue | None = rows.filter(pk=queue.pk, vault=by.vault_id).first()
    if found is None:
        raise Refused(GONE)
    return found


def _set(
    queue: Queue,
    label: str,
    description: str,
    processor: str,
    processor_user: Membership | None,
    handler: str,
    handler_user: Membership | None,
    rollback_on_error: bool,
    sequential: bool,
) -> None:
    if not label.strip() or len(label) > LABEL_LENGTH:
        raise Refused(f"Enter a Label of at most {LABEL_LENGTH} characters.", field="label")
    if len(description) > DESCRIPTION_LENGTH:
        raise Refused(f"Description can have at most {DESCRIPTION_LENGTH} characters.", field="description")
    queue.label, queue.description = label, description
    # Both are ignored for job queues (veeva-core 5.1), so nothing is kept that does nothing.
    is_job = queue.type == QueueType.JOB
    queue.rollback_on_error = rollback_on_error and not is_job
    queue.sequential = sequential and not is_job
    _set_processor(queue, processor, processor_user)
    _set_handler(queue, handler, handler_user)


def _set_processor(queue: Queue, name: str, user: Membership | None) -> None:
    if not queue.is_inbound:
        queue.processor, queue.processor_user = "", None
        return
    if name not in processors.registered:
        raise Refused("Choose the Message Processor that takes what arrives.", field="processor")
    _check_user(queue, user, "processor_user")
    queue.processor, queue.processor_user = name, user


def _set_handler(queue: Queue, name: str, user: Membership | None) -> None:
    if not queue.is_outbound or not name:
        queue.handler, queue.handler_user = "", None
        return
    if name not in processors.handlers:
        raise Refused("There is no such Message Delivery Event Handler.", field="handler")
    if user is None:
        raise Refused("Choose the user the handler acts for.", field="handler_user")
    _check_user(queue, user, "handler_user")
    queue.handler, queue.handler_user = name, user


def _check_user(queue: Queue, user: Membership | None, field: str) -> None:
    if user is not None and (user.vault_id != queue.vault_id or not user.is_active):
        raise Refused("Choose an active user of this Vault.", field=field)


def _save(queue: Queue, before: dict[str, object], event: str, *, by: Membership, now: datetime) -> None:
    if changes := audit.diff(before, queue, AUDITED):
        queue.modified_at = now
        queue.save()
        audit.record(vault=by.vault, by=by, event=event, subject=queue, changes=changes)


def _name_by(label: str, by: Membership) -> str:
    """The Name made from a Label: “Study sync” is study_sync__c, or study_sync_2__c where that is taken."""
    words = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")
    if not words:
        raise Refused("Enter a Name: none can be made from this Label.", field="name")
    taken = Queue.objects.filter(vault=by.vault_id)
    return rules.free_own_name(words, taken=lambda name: taken.filter(name=name).exists())


def _made_before(creation_key: UUID | None, by: Membership) -> Queue | None:
    if creation_key is None:
        return None
    return Queue.objects.filter(vault=by.vault_id, creation_key=creation_key).first()
