"""E-mail notices about tasks and from apps: written in the transaction of what they tell of, sent from those rows.

Losing Redis or the mail server loses nothing: a row is tried again, a bounded number of times. A mail may come twice
when a worker dies between sending and settling; it never comes for something that is no longer true.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F

from vaultadmin import claims, place, registries
from vaultadmin.models import Delegation, Membership, Notice, Task, Vault
from vaultadmin.models.notice import NoticeKind, NoticeOutcome
from vaultadmin.registries import Lane
from vaultadmin.worklist import holding
from vaultadmin.worklist.registry import handler_for, missing_for

logger = structlog.get_logger(__name__)
REMIND_BEFORE = timedelta(days=3)
# Eight tries in about a day and a half; then the row stays, marked as given up, and the inbox still shows the task.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 720))
_LEASE = timedelta(minutes=2)
_BATCH = 20
_GIVEN = NoticeKind.ASSIGNED
_ABOUT_OPEN_TASKS = (NoticeKind.OPENED, NoticeKind.ASSIGNED, NoticeKind.DUE_SOON)


def opened(task: Task, *, now: datetime) -> None:
    """Tell everybody who may decide the task; inside the transaction that opens it."""
    _write(task, NoticeKind.OPENED, _deciders(task), now)


def assigned(task: Task, *, to: Membership, now: datetime) -> None:
    """Tell a member, and who decides in their place now, that the task was given to them.

    Once per person and task, whoever hands it back and forth.
    """
    people = [to, holding.receiver(task, now=now)]
    _write(task, NoticeKind.ASSIGNED, [person for person in people if person and person.user.mail_notices], now)


def lent(*, now: datetime) -> int:
    """Tell who was lent approvals which tasks wait for them by that; a second run writes none. Returns how many."""
    givers = Delegation.objects.in_force(now).values("from_member")
    tasks = Task.objects.open().filter(assigned_to__in=givers).select_related("vault", "requested_by")
    written = 0
    for task in tasks.select_related("assigned_to__user", "assigned_to__profile"):
        person = holding.receiver(task, now=now)
        if person and person.user.mail_notices and not task.notices.filter(user=person.user_id, kind=_GIVEN).exists():
            _write(task, NoticeKind.ASSIGNED, [person], now)
            written += 1
    return written


def ended(task: Task, *, by: object, now: datetime) -> None:
    """Tell the requester that the task was decided or cancelled, unless they did it; and in whose place it was."""
    requester, giver = task.requested_by, task.completed_for
    if giver is not None and giver.user.mail_notices:
        _write(task, NoticeKind.IN_PLACE, [giver], now)
    did_it = isinstance(by, Membership) and requester is not None and by.user_id == requester.user_id
    if requester is None or did_it:
        return
    _write(task, NoticeKind.DECIDED if task.verdict else NoticeKind.CLOSED, [requester], now)


def tell(
    *,
    vault: Vault,
    topic: str,
    subject: str,
    to: Iterable[Membership],
    now: datetime,
    data: dict[str, Any] | None = None,
) -> None:
    """Tell members what an app has to say, once per `subject`; inside the transaction of what it tells of.

    `topic` is a key of `registries.mail_writers`, which makes the words when the mail is sent.
    """
    rows = [
        Notice(
            user_id=member.user_id,
            vault=vault,
            kind=NoticeKind.TOLD,
            topic=topic,
            subject=subject,
            data=data or {},
            created_at=now,
            due_at=now,
        )
        for member in to
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def overturned(task: Task, *, now: datetime) -> None:
    """Tell who approved, in whose place, and who had asked, that the other side rejected it after that."""
    people = {person.user_id: person for person in (task.completed_by, task.completed_for, task.requested_by) if person}
    _write(task, NoticeKind.OVERTURNED, [person for person in people.values() if person.user.mail_notices], now)


def remind(*, now: datetime) -> int:
    """Write the reminders of tasks about to lapse; a second run writes none. Returns how many tasks there were."""
    soon = Task.objects.open().filter(due_at__gt=now, due_at__lte=now + REMIND_BEFORE)
    tasks = list(soon.exclude(notices__kind=NoticeKind.DUE_SOON).select_related("vault", "requested_by"))
    for task in tasks:
        _write(task, NoticeKind.DUE_SOON, _deciders(task), now)
    return len(tasks)


def deliver_due(*, now: datetime, limit: int = 200) -> int:
    """Send what is due, oldest first, at most `limit`; returns how many were tried."""
    if place.held():
        return 0
    tried = 0
    while tried < limit:
        due = Notice.objects.due(now)
        claim = claims.claim(due, limit=_BATCH, lease=_LEASE, now=now, attempts=F("attempts") + 1)
        for pk in claim.ids:
            _deliver(pk, claim.token, now)
        tried += len(claim.ids)
        if not claim:
            break
    return tried


def lane(now: datetime) -> Lane:
    """Mail on the status page: what is due, and what was given up in the last days."""
    due = Notice.objects.due(now)
    oldest = due.values_list("due_at", flat=True).first()
    lost = Notice.objects.filter(outcome=NoticeOutcome.GIVEN_UP, settled_at__gt=now - timedelta(days=7))
    return Lane("E-mail notices", due.count(), oldest, lost.count())


def _deciders(task: Task) -> list[Membership]:
    members = Membership.objects.for_request().filter(vault=task.vault_id, is_active=True, user__is_active=True)
    requester = task.requested_by.user_id if task.requested_by else None
    wanted = members.filter(user__mail_notices=True).exclude(user=requester)
    return [member for member in wanted if missing_for(task, member) is None]


def _write(task: Task, kind: NoticeKind, to: Iterable[Membership], now: datetime) -> None:
    rows = [Notice(user_id=member.user_id, task=task, kind=kind, created_at=now, due_at=now) for member in to]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def _deliver(pk: int, token: UUID, now: datetime) -> None:
    row = Notice.objects.select_related(
        "user", "task__vault", "task__completed_by__user", "task__completed_for__user", "task__requested_by"
    ).get(pk=pk)
    rows = Notice.objects.filter(pk=pk)
    message = _compose(row, now)
    if message is None:
        claims.settle(rows, token=token, settled_at=now, outcome=NoticeOutcome.DROPPED)
        return
    try:
        message.send()
    except (OSError, SMTPException) as error:
        _try_again(row, token, now, error)
    else:
        claims.settle(rows, token=token, settled_at=now, outcome=NoticeOutcome.SENT, last_error="")


def _try_again(row: Notice, token: UUID, now: datetime, error: Exception) -> None:
    rows, sentence = Notice.objects.filter(pk=row.pk), f"{type(error).__name__}: the mail server did not take it."
    logger.warning("notice_not_sent", notice=row.pk, attempts=row.attempts, error=type(error).__name__)
    if row.attempts > len(WAITS):
        claims.settle(rows, token=token, settled_at=now, outcome=NoticeOutcome.GIVEN_UP, last_error=sentence)
    else:
        claims.settle(rows, token=token, due_at=now + WAITS[row.attempts - 1], last_error=sentence)


def _compose(row: Notice, now: datetime) -> EmailMessage | None:
    """The mail as things are now; None when it would tell what is no longer true, or to whom it may not be told."""
    vault = row.task.vault_id if row.task else row.vault_id
    member = Membership.objects.for_request().filter(user=row.user_id, vault=vault, is_active=True).first()
    if member is None or not member.user.is_active or not member.user.mail_notices:
        return None
    mail = _of_task(row, row.task, member, now) if row.task else _of_app(row, member)
    if mail is None:
        return None
    subject = " ".join(mail.subject.split())[:200]
    text = "\n\n".join([*mail.paragraphs, _FOOT])
    return EmailMessage(f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{subject}", text, to=[row.user.email])


def _of_task(row: Notice, task: Task, member: Membership, now: datetime) -> registries.Mail | None:
    handler, standing = handler_for(task), holding.Standing(member, [task], now=now)
    if row.kind in _ABOUT_OPEN_TASKS and (not task.is_open or handler.refusal(task, member) or standing.refusal(task)):
        return None
    place = standing.place(task)
    title = " ".join(task.title.split())
    page = f"{settings.PUBLIC_URL}{handler.shown([task], member)[task.pk].url}"
    return registries.Mail(_subject(row, task, title, place), (_sentence(row, task, place), f"{title}\n{page}"))


def _of_app(row: Notice, member: Membership) -> registries.Mail | None:
    return registries.mail_writers[row.topic](member, row.subject, row.data)


_FOOT = f"You get these mails as a member of this Vault. Turn them off at {settings.PUBLIC_URL}/accounts/notices/"


def _subject(row: Notice, task: Task, title: str, place: Membership | None) -> str:
    words = {
        NoticeKind.OPENED: "Waiting for your verdict",
        NoticeKind.ASSIGNED: f"Waiting for your verdict for {place}" if place else "Assigned to you",
        NoticeKind.DUE_SOON: "About to lapse",
        NoticeKind.DECIDED: f"Your request was {_verdict(task)}",
        NoticeKind.IN_PLACE: f"{_verdict(task).capitalize()} in your place",
        NoticeKind.CLOSED: "Your request ended",
        NoticeKind.OVERTURNED: "Rejected by the other side",
    }
    return f"{words[NoticeKind(row.kind)]}: {title}"


def _sentence(row: Notice, task: Task, place: Membership | None) -> str:
    vault = task.vault.name
    until = f" It lapses on {task.due_at:%d %b %Y at %H:%M} UTC." if task.due_at else ""
    if row.kind == NoticeKind.OPENED:
        return f"{task.requester_label} asks for a verdict in {vault}.{until}"
    if row.kind == NoticeKind.ASSIGNED and place:
        whose = f"was assigned to {place}, who lent you their approvals"
        return f"A request of {task.requester_label} in {vault} {whose}.{until}"
    if row.kind == NoticeKind.ASSIGNED:
        return f"A request of {task.requester_label} in {vault} was assigned to you.{until}"
    if row.kind == NoticeKind.DUE_SOON:
        return f"Nobody in {vault} has decided this yet.{until}"
    if row.kind == NoticeKind.DECIDED:
        return f"{task.decider} {_verdict(task)} your request in {vault}."
    if row.kind == NoticeKind.IN_PLACE:
        return f"{task.completed_by} {_verdict(task)} a request of {task.requester_label} in {vault} in your place."
    if row.kind == NoticeKind.OVERTURNED:
        return f"What was approved in {vault} was rejected by the other side after that. The page says by whom and why."
    return f"Your request in {vault} ended. {task.comment}".strip()


def _verdict(task: Task) -> str:
    return {"approve": "approved", "reject": "rejected"}.get(task.verdict, "decided")
