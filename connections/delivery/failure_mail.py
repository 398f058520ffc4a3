"""The delivery event handler that tells who operates messages what was given up: one mail an hour for each queue.

The mail names messages, connections and reasons, and nothing that a message says.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from connections.constants import CopyState
from connections.models import MessageCopy, Queue
from connections.processors import Handler
from connections.selectors.operators import operators
from vaultadmin import audit
from vaultadmin.audit import Actor
from vaultadmin.models import Membership, Notice
from vaultadmin.registries import Mail
from vaultadmin.worklist import notices

NAME = "tell_operators__sys"
TOPIC = "connections.given_up"
_NAMED = 5
_STATES = (CopyState.FAILED, CopyState.SET_ASIDE)


def tell(message_id: UUID, by: Actor, now: datetime) -> None:
    """Write the mails of this queue's hour, unless they are written. A thousand failures are one mail a person."""
    queue = Queue.objects.select_related("vault").get(copies__message_id=message_id)
    since = now.replace(minute=0, second=0, microsecond=0)
    subject = f"{queue.pk}:{since:%Y%m%d%H}"
    if Notice.objects.filter(vault=queue.vault_id, topic=TOPIC, subject=subject).exists():
        return
    told = operators(queue.vault)
    data = {"queue": queue.pk, "since": since.isoformat()}
    notices.tell(vault=queue.vault, topic=TOPIC, subject=subject, to=told, now=now, data=data)
    changes: audit.Changes = {"People told": (None, len(told))}
    audit.record(vault=queue.vault, by=by, event="queue.failures_told", subject=queue, changes=changes)


def mail(member: Membership, _subject: str, data: dict[str, Any]) -> Mail | None:
    """The words of one mail, as things are when it is sent; None when nothing of it is left to tell this member."""
    since = datetime.fromisoformat(data["since"])
    rows = MessageCopy.objects.visible_to(member).filter(queue=data["queue"], state__in=_STATES, settled_at__gte=since)
    newest = list(rows.select_related("queue", "connection").prefetch_related("tries").order_by("-settled_at")[:_NAMED])
    if not newest:
        return None
    queue, number = newest[0].queue, rows.count()
    page = f"{settings.PUBLIC_URL}{reverse('connections:messages', args=[member.vault_id])}"
    lead = (
        f"{number:,} message{' of' if number == 1 else 's of'} the queue “{queue}” "
        f"{'was' if number == 1 else 'were'} given up since {since:%d %b %Y %H:%M} UTC and left the queue."
    )
    listed = "\n".join([*(_line(copy) for copy in newest), *(["…"] if number > len(newest) else [])])
    where = f"{page}?{urlencode({'queue': queue.name, 'state': newest[0].state})}"
    hint = f"Look at them, and send again what should still arrive:\n{where}"
    return Mail(f"Not delivered: {queue}", (lead, listed, hint))


def _line(copy: MessageCopy) -> str:
    to = copy.connection or "a deleted connection"
    return f"{copy.settled_at:%H:%M} UTC, {copy.message_id} to {to}: {_why(copy)}"


def _why(copy: MessageCopy) -> str:
    last = max(copy.tries.all(), key=lambda attempt: attempt.number, default=None)
    if copy.reason or last is None:
        return copy.reason or "no attempt was made"
    status = f" ({last.status})" if last.status else ""
    return f"{last.error or last.get_outcome_display()}{status}"


HANDLER = Handler(
    label="Tell who operates messages",
    description=(
        "Writes to everybody who operates messages what was given up and why, at most one mail an hour for each queue."
    ),
    run=tell,
)
