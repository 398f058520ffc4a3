from datetime import timedelta

import pytest

from connections.constants import AttemptOutcome
from connections.delivery import claiming, settling
from connections.delivery.outcomes import Result
from connections.delivery.policy import POLICY
from connections.delivery.sent import Sent
from connections.models import DeliveryAttempt, IncomingMessage, MessageCopy, Queue, QueueConnection, QueueLogEntry
from connections.services.messages import queue_ending, tallies
from connections.services.refusals import Refused
from tests.factories.people import make_member
from tests.factories.spark import make_link, make_outbound, make_spark_admin, put
from vaultadmin import audit, clock
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


def reset(queue, by, **fields):
    return queue_ending.reset(queue=queue, by=by, now=clock.now(), **({"confirmation": queue.name} | fields))


def delete(queue, by, **fields):
    queue_ending.delete(queue=queue, by=by, **({"confirmation": queue.name} | fields))


def arrived(queue, **fields):
    now, number = clock.now(), IncomingMessage.objects.count()
    values = {"message_id": f"00000000-0000-4000-8000-{number:012}", "received_at": now, "due_at": now} | fields
    message = IncomingMessage.objects.create(vault=queue.vault, queue=queue, **values)
    tallies.add({queue.pk: 1})
    return message


def test_reset_removes_every_message_that_waits(admin, outbound):
    for _ in range(3):
        put(outbound, admin)
    over = MessageCopy.objects.first()
    MessageCopy.objects.filter(pk=over.pk).update(state="delivered", due_at=None, settled_at=clock.now())
    tallies.add({outbound.pk: -1})

    assert reset(outbound, admin, reason="Wrong study") == 2

    assert sorted(MessageCopy.objects.values_list("state", flat=True)) == ["delivered", "removed", "removed"]
    assert not MessageCopy.objects.filter(due_at__isnull=False).exists()
    assert tallies.waiting(outbound) == 0
    row = audit.history(outbound)[0]
    assert (row.event, row.changes, row.reason) == ("queue.reset", {"Messages in queue": [2, 0]}, "Wrong study")


def test_reset_writes_a_line_of_the_queue_log_for_each_message(admin, outbound):
    put(outbound, admin)
    put(outbound, admin)

    reset(outbound, admin)

    lines = QueueLogEntry.objects.all()
    assert {line.message_id for line in lines} == {copy.message_id for copy in MessageCopy.objects.all()}
    assert {(line.entry_type, line.error) for line in lines} == {("REMOVAL", "The queue was reset.")}


def test_reset_leaves_queue_connections_and_switches_as_they_are(admin, outbound):
    put(outbound, admin)

    reset(outbound, admin)

    assert QueueConnection.objects.count() == 1
    assert put(outbound, admin).error is None
    assert tallies.waiting(outbound) == 1


def test_reset_of_an_inbound_queue_leaves_nothing_to_process(admin, inbound):
    arrived(inbound)
    done = arrived(inbound, state="processed", due_at=None, settled_at=clock.now())
    tallies.add({inbound.pk: -1})

    assert reset(inbound, admin) == 1

    assert IncomingMessage.objects.get(pk=done.pk).state == "processed"
    assert IncomingMessage.objects.exclude(pk=done.pk).get().state == "removed"
    assert tallies.waiting(inbound) == 0


def test_reset_touches_no_other_queue(admin, outbound):
    other = make_outbound(admin, QueueConnection.objects.get().connection)
    put(other, admin)

    assert reset(outbound, admin) == 0
    assert tallies.waiting(other) == 1


def test_message_on_its_way_is_removed_and_its_attempt_still_told(admin, outbound):
    put(outbound, admin)
    now = clock.now() + timedelta(seconds=1)
    (batch,) = claiming.take(now=now, policy=POLICY, lanes=1)

    reset(outbound, admin)
    result = Result(AttemptOutcome.DELIVERED, 200, 5)
    settled = settling.settle(batch, [Sent(batch.jobs[0], result)], policy=POLICY, now=now)

    assert settled.lost == 1
    assert MessageCopy.objects.get().state == "removed"
    assert DeliveryAttempt.objects.get().outcome == "delivered"
    assert tallies.waiting(outbound) == 0


@pytest.mark.parametrize("typed", ["", "study_out", "STUDY_OUT__C", "Study out"])
@pytest.mark.parametrize("act", [reset, delete], ids=["reset", "delete"])
def test_name_typed_wrong_changes_nothing(admin, outbound, act, typed):
    with pytest.raises(Refused, match="Type the queue's name, study_out__c") as refusal:
        act(outbound, admin, confirmation=typed)

    assert refusal.value.field == "confirmation"
    assert Queue.objects.exists()


@pytest.mark.parametrize("act", [reset, delete], ids=["reset", "delete"])
def test_ending_is_the_queue_administrators(admin, outbound, act):
    with pytest.raises(PermissionRefused):
        act(outbound, make_member(admin.vault, Permission.MESSAGES_OPERATE, Permission.SDK_JOB_QUEUES))


@pytest.mark.parametrize("act", [reset, delete], ids=["reset", "delete"])
def test_foreign_or_deleted_queue_is_gone(admin, act):
    with pytest.raises(Refused, match="deleted this queue"):
        act(make_outbound(make_spark_admin()), admin)


def test_delete_takes_the_queue_with_its_connections_and_keeps_its_history(admin, outbound):
    number = outbound.pk

    delete(outbound, admin, reason="Not needed")

    assert not Queue.objects.exists()
    outbound.pk = number
    row = audit.history(outbound)[0]
    assert (row.event, row.reason) == ("queue.deleted", "Not needed")
    assert row.changes["Queue Connections"] == [["RTSM"], None]


def test_queue_with_waiting_messages_cannot_be_deleted(admin, outbound):
    put(outbound, admin)

    with pytest.raises(Refused, match="Messages wait in this queue"):
        delete(outbound, admin)


def test_queue_that_carried_messages_cannot_be_deleted(admin, outbound, inbound):
    put(outbound, admin)
    arrived(inbound)
    for queue in (outbound, inbound):
        reset(queue, admin)

        with pytest.raises(Refused, match="message log holds what this queue carried"):
            delete(queue, admin)


def test_queue_a_local_connection_delivers_to_cannot_be_deleted(admin, itself, inbound):
    make_link(make_outbound(admin, label="Sender"), itself, admin, deliver_to=inbound.name)

    with pytest.raises(Refused, match="“Sender” delivers to this one"):
        delete(inbound, admin)
