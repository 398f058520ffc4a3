from datetime import timedelta

import pytest

from connections.constants import CopyState
from connections.delivery import draining, failure_mail
from connections.models import MessageCopy
from tests.factories.people import make_member
from tests.factories.spark import make_outbound, put
from tests.vaultadmin.outbound.peers import answer
from vaultadmin import audit, clock
from vaultadmin.models import Notice
from vaultadmin.permissions import Permission
from vaultadmin.worklist import notices


@pytest.fixture
def operator(admin):
    return make_member(admin.vault, Permission.MESSAGES_OPERATE)


@pytest.fixture
def told_queue(admin, connection, operator):
    return make_outbound(
        admin, connection, name="studies__c", label="Studies", handler=failure_mail.NAME, handler_user=admin
    )


def give_up(queue, admin, listen, *, number=1):
    listen(answer(b"secret words of the receiver", status="410 Gone"))
    made = [put(queue, admin, items=[f"secret item {one}"]).copies[0].message_id for one in range(number)]
    draining.drain()
    return made


def words(operator):
    row = Notice.objects.get(topic=failure_mail.TOPIC, user=operator.user_id)
    return failure_mail.mail(operator, row.subject, row.data)


def test_operators_get_one_mail_however_many_are_given_up(admin, operator, told_queue, listen, mailoutbox):
    ids = give_up(told_queue, admin, listen, number=7)

    notices.deliver_due(now=clock.now())

    [mail] = mailoutbox
    assert mail.to == [operator.user.email]
    assert mail.subject.endswith("Not delivered: Studies")
    assert "7 messages of the queue “Studies” were given up" in mail.body
    assert sum(str(one) in mail.body for one in ids) == 5
    assert "queue=studies__c&state=failed" in mail.body


def test_the_mail_says_where_to_and_why_and_nothing_of_what_the_message_says(
    admin, operator, told_queue, connection, listen
):
    [message_id] = give_up(told_queue, admin, listen)

    mail = words(operator)

    [line] = mail.paragraphs[1].splitlines()
    assert f"{message_id} to {connection}: " in line
    assert "410" in line
    assert "1 message of the queue" in mail.paragraphs[0]
    assert "secret" not in " ".join(mail.paragraphs)


def test_the_next_hour_is_told_of_anew(admin, operator, told_queue, listen):
    [message_id] = give_up(told_queue, admin, listen)
    by, now = audit.System("Test"), clock.now()

    failure_mail.tell(message_id, by, now)
    assert Notice.objects.count() == 1
    failure_mail.tell(message_id, by, now + timedelta(hours=1))

    assert Notice.objects.count() == 2


def test_that_people_were_told_is_in_the_trail_in_the_name_of_the_handler_s_user(admin, operator, told_queue, listen):
    give_up(told_queue, admin, listen, number=2)

    [told] = [row for row in audit.history(told_queue) if row.event == "queue.failures_told"]
    assert told.actor == f"Java SDK Service Account on behalf of {admin}"
    assert told.changes == {"People told": [None, 1]}


def test_a_copy_set_aside_is_told_of_with_its_reason(admin, operator, told_queue, connection):
    message_id = put(told_queue, admin).copies[0].message_id
    now = clock.now()
    MessageCopy.objects.update(state=CopyState.SET_ASIDE, due_at=None, settled_at=now, reason="Nobody knows.")

    failure_mail.tell(message_id, audit.System("Test"), now)

    assert (
        words(operator)
        .paragraphs[1]
        .endswith(f"{message_id} to {told_queue.connections.get().connection}: Nobody knows.")
    )


def test_nothing_is_written_when_nothing_is_left_to_tell(admin, operator, told_queue, listen):
    give_up(told_queue, admin, listen)
    MessageCopy.objects.update(state=CopyState.REMOVED)

    assert words(operator) is None


def test_who_no_longer_operates_messages_is_not_told(admin, operator, told_queue, listen):
    give_up(told_queue, admin, listen)
    operator.profile.permissions = []
    operator.profile.save()

    assert words(type(operator).objects.for_request().get(pk=operator.pk)) is None
