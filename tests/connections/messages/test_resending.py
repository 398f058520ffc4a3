import pytest

from connections.constants import CopyState
from connections.models import MessageCopy, SparkMessage
from connections.services.messages import queue_links, queues, resending, tallies
from connections.services.refusals import Refused
from connections.spark.message import CAPACITY
from tests.factories.people import make_member, make_vault
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission, PermissionRefused


def resend(traffic, now, *copies):
    return resending.resend(copies=copies, reason="Asked for by phone", by=traffic.operator, now=now)


def test_resend_makes_a_new_copy_of_the_frozen_payload(traffic, now):
    old = traffic.failed(now=now)

    [new] = resend(traffic, now, old)

    assert new.message_id != old.message_id
    assert (new.content_id, new.connection_id, new.path) == (old.content_id, old.connection_id, old.path)
    assert (new.state, new.due_at, new.attempts) == (CopyState.WAITING, now, 0)
    assert (new.resend_of, new.resend_reason) == (old, "Asked for by phone")
    assert tallies.waiting(traffic.queue) == 1


def test_resend_leaves_the_original_as_it_was(traffic, now):
    old = traffic.failed(now=now)
    before = MessageCopy.objects.filter(pk=old.pk).values().get()

    resend(traffic, now, old)

    assert MessageCopy.objects.filter(pk=old.pk).values().get() == before


def test_resend_after_a_success_is_allowed(traffic, now):
    old = traffic.delivered(now=now)

    [new] = resend(traffic, now, old)

    assert new.state == CopyState.WAITING


def test_resend_several_keeps_their_order(traffic, now):
    first, second = traffic.failed(now=now), traffic.failed(now=now)

    made = resend(traffic, now, second, first)

    assert [copy.resend_of_id for copy in made] == [first.pk, second.pk]


def test_resend_is_audited_with_its_reason(traffic, now):
    old = traffic.failed(now=now)

    [new] = resend(traffic, now, old)

    row = AuditEvent.objects.get(event="message.resent")
    assert (row.subject_label, row.reason) == (str(old.message_id), "Asked for by phone")
    assert row.changes["sent again as"] == [None, str(new.message_id)]


def is_waiting(traffic, now):
    return traffic.put(now=now)


def is_removed(traffic, now):
    copy = traffic.failed(now=now)
    MessageCopy.objects.filter(pk=copy.pk).update(state=CopyState.REMOVED)
    return MessageCopy.objects.get(pk=copy.pk)


def has_no_payload(traffic, now):
    copy = traffic.failed(now=now)
    SparkMessage.objects.filter(pk=copy.content_id).update(payload="", payload_removed_at=now)
    return MessageCopy.objects.get(pk=copy.pk)


def lost_its_connection(traffic, now):
    copy = traffic.failed(now=now)
    MessageCopy.objects.filter(pk=copy.pk).update(connection=None)
    return MessageCopy.objects.get(pk=copy.pk)


def left_the_queue(traffic, now):
    copy = traffic.failed(now=now)
    traffic.queue.connections.all().delete()
    return copy


def is_switched_off(traffic, now):
    copy = traffic.failed(now=now)
    link = traffic.queue.connections.get()
    queue_links.edit(link=link, label="", is_active=False, by=traffic.admin, now=now)
    return copy


def queue_is_inactive(traffic, now):
    copy = traffic.failed(now=now)
    queues.set_active(queue=traffic.queue, active=False, by=traffic.admin, now=now)
    return copy


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (is_waiting, resending.WAITING),
        (is_removed, resending.REMOVED),
        (has_no_payload, resending.NO_PAYLOAD),
        (lost_its_connection, resending.NO_CONNECTION),
        (left_the_queue, resending.NOT_CONNECTED),
        (is_switched_off, resending.LINK_INACTIVE),
        (queue_is_inactive, resending.QUEUE_INACTIVE),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_resend_what_cannot_be_sent_is_refused_with_the_reason(traffic, now, prepare, code):
    copy = prepare(traffic, now)

    with pytest.raises(Refused) as refused:
        resend(traffic, now, copy)

    assert resending.REASONS[code] in str(refused.value)
    assert MessageCopy.objects.count() == 1


def test_resend_one_bad_among_many_sends_none(traffic, now):
    good, bad = traffic.failed(now=now), traffic.put(now=now)

    with pytest.raises(Refused):
        resend(traffic, now, good, bad)

    assert MessageCopy.objects.filter(resend_of__isnull=False).count() == 0


def test_resend_into_a_full_queue_is_refused(traffic, now):
    copy = traffic.failed(now=now)
    tallies.add({traffic.queue.pk: CAPACITY})

    with pytest.raises(Refused, match="full"):
        resend(traffic, now, copy)


def test_resend_more_than_a_page_is_refused(traffic, now):
    copy = traffic.failed(now=now)

    with pytest.raises(Refused, match="replay"):
        resend(traffic, now, *[copy] * (resending.MOST + 1))


def test_resend_needs_the_permission_and_the_vault(traffic, now):
    copy = traffic.failed(now=now)
    stranger = make_member(make_vault(), Permission.MESSAGES_OPERATE)

    with pytest.raises(PermissionRefused):
        resending.resend(copies=[copy], reason="", by=traffic.admin, now=now)
    with pytest.raises(Refused, match="not there"):
        resending.resend(copies=[copy], reason="", by=stranger, now=now)
