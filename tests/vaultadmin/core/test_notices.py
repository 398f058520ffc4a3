from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction

from tests.factories import make_member, make_user, make_vault
from tests.guards.world import signed_in
from tests.vaultadmin.core.test_worklist import KIND, Handler
from vaultadmin import audit, clock
from vaultadmin.models import Notice, Task, User
from vaultadmin.models.notice import NoticeKind, NoticeOutcome
from vaultadmin.permissions import Permission
from vaultadmin.worklist import notices, registry, services

pytestmark = pytest.mark.django_db
BY = audit.System("test")


@pytest.fixture(autouse=True)
def handler(monkeypatch):
    found = Handler()
    monkeypatch.setitem(registry._handlers, KIND, found)
    return found


@pytest.fixture
def vault():
    return make_vault(name="Alpha")


@pytest.fixture
def requester(vault):
    return make_member(vault, Permission.WORKFLOW_START, Permission.WORKFLOW_PARTICIPATE)


@pytest.fixture
def approver(vault):
    return make_member(vault, Permission.WORKFLOW_PARTICIPATE, user=make_user(email="approver@example.test"))


def open_task(vault, requester, **fields):
    with transaction.atomic():
        return services.open_task(
            vault=vault,
            kind=KIND,
            subject=vault,
            title="Approve connection “Link”",
            by=requester,
            now=clock.now(),
            requested_by=requester,
            **fields,
        )


def send(after=timedelta()):
    return notices.deliver_due(now=clock.now() + after)


def test_opened_task_is_told_to_those_who_may_decide(vault, requester, approver):
    make_member(vault, Permission.CONNECTION_READ)
    make_member(make_vault(), Permission.WORKFLOW_PARTICIPATE)

    open_task(vault, requester, due_at=clock.now() + timedelta(days=14))
    send()

    [letter] = mail.outbox
    assert letter.to == ["approver@example.test"]
    assert "Waiting for your verdict" in letter.subject
    assert "Alpha" in letter.body
    assert "It lapses on" in letter.body
    assert "http://localhost" in letter.body


def test_second_run_sends_nothing(vault, requester, approver):
    open_task(vault, requester)

    assert (send(), send(), len(mail.outbox)) == (1, 0, 1)


def test_who_opted_out_gets_no_mail(vault, requester, approver):
    User.objects.filter(pk=approver.user_id).update(mail_notices=False)

    open_task(vault, requester)

    assert not Notice.objects.exists()


def test_opting_out_stops_a_mail_that_waits(vault, requester, approver):
    open_task(vault, requester)
    User.objects.filter(pk=approver.user_id).update(mail_notices=False)

    send()

    assert (len(mail.outbox), Notice.objects.get().outcome) == (0, NoticeOutcome.DROPPED)


@pytest.mark.parametrize("column", ["is_active", "user__is_active"])
def test_person_who_has_left_gets_no_mail(vault, requester, approver, column):
    open_task(vault, requester)
    target = approver.user if column.startswith("user") else approver
    target.is_active = False
    target.save()

    send()

    assert mail.outbox == []


def test_decided_task_is_told_to_the_requester_and_no_longer_announced(vault, requester, approver):
    task = open_task(vault, requester)
    services.complete(task=task, by=approver, verdict="approve", comment="Fine", now=clock.now())

    send()

    [letter] = mail.outbox
    assert letter.to == [requester.user.email]
    assert "Your request was approved" in letter.subject
    assert approver.user.name in letter.body


def test_ended_request_is_told_with_its_reason(vault, requester):
    open_task(vault, requester)
    with transaction.atomic():
        services.cancel_tasks(subject=vault, vault=vault, by=BY, reason="The request lapsed.", now=clock.now())

    send()

    assert "The request lapsed." in mail.outbox[0].body


def test_requester_who_ended_it_themselves_gets_no_mail(vault, requester):
    open_task(vault, requester)
    with transaction.atomic():
        services.cancel_tasks(subject=vault, vault=vault, by=requester, reason="Withdrawn.", now=clock.now())

    send()

    assert mail.outbox == []


def test_task_about_to_lapse_is_told_once(vault, requester, approver):
    open_task(vault, requester, due_at=clock.now() + timedelta(days=2))
    send()
    mail.outbox.clear()

    assert (notices.remind(now=clock.now()), notices.remind(now=clock.now())) == (1, 0)
    send()

    assert ["About to lapse" in letter.subject for letter in mail.outbox] == [True]


def test_task_with_time_left_is_not_reminded_of(vault, requester, approver):
    open_task(vault, requester, due_at=clock.now() + timedelta(days=10))

    assert notices.remind(now=clock.now()) == 0


def test_mail_server_that_is_away_loses_nothing(vault, requester, approver, monkeypatch):
    open_task(vault, requester)

    def away(self, messages):
        raise SMTPServerDisconnected

    with monkeypatch.context() as broken:
        broken.setattr(EmailBackend, "send_messages", away)
        send()
    row = Notice.objects.get()
    assert (row.settled_at, row.attempts, len(mail.outbox)) == (None, 1, 0)
    assert "mail server" in row.last_error

    assert send() == 0
    send(after=timedelta(hours=1))

    assert (len(mail.outbox), Notice.objects.get().outcome) == (1, NoticeOutcome.SENT)


def test_tries_are_bounded(vault, requester, approver, monkeypatch):
    open_task(vault, requester)

    def away(self, messages):
        raise OSError

    monkeypatch.setattr(EmailBackend, "send_messages", away)
    for day in range(20):
        send(after=timedelta(days=day))

    row = Notice.objects.get()
    assert (row.outcome, row.attempts) == (NoticeOutcome.GIVEN_UP, len(notices.WAITS) + 1)
    assert notices.lane(clock.now() + timedelta(days=8)).parked == 1


def test_title_cannot_add_a_header(vault, requester, approver):
    open_task(vault, requester)
    Task.objects.update(title="Link\r\nBcc: thief@example.test")

    send()

    assert "\n" not in mail.outbox[0].subject
    assert mail.outbox[0].bcc == []


def test_notice_is_written_with_the_task_or_not_at_all(vault, requester, approver):
    with transaction.atomic():
        open_task(vault, requester)
        transaction.set_rollback(True)

    assert not Notice.objects.filter(kind=NoticeKind.OPENED).exists()


def test_person_turns_notices_off_and_it_is_audited(approver):
    answer = signed_in(approver.user).post("/accounts/notices/", {})

    assert answer.status_code == 302
    assert not User.objects.get(pk=approver.user_id).mail_notices
    assert audit.history(approver.user).filter(event="user.notices_changed").count() == 1
