from datetime import UTC, datetime, timedelta

import pytest

from connections.constants import QueueType
from connections.models import Queue, QueueLogEntry
from connections.processing import filing
from connections.services.messages import queue_ending, queue_log, set_aside
from connections.services.refusals import Refused
from tests.connections.messages.conftest import ACCEPTED, BUSY, GONE
from tests.factories.connections import make_external
from tests.factories.incoming import make_incoming
from tests.factories.people import make_member, make_vault
from tests.factories.spark import make_inbound, make_outbound, put
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission, PermissionRefused


def written():
    return list(QueueLogEntry.objects.order_by("pk").values_list("entry_type", "message_id"))


def lines(member, day, **how):
    return [dict(zip(queue_log.COLUMNS, line, strict=True)) for line in queue_log.lines(member, day, **how)]


def test_a_message_given_up_leaves_a_removal(traffic, now):
    copy = traffic.failed(now=now)

    assert written() == [("REMOVAL", copy.message_id)]


@pytest.mark.parametrize("result", [ACCEPTED, BUSY], ids=["delivered", "tried_again"])
def test_a_message_that_was_delivered_or_waits_leaves_nothing(traffic, now, result):
    traffic.put(now=now)

    traffic.settle(result, now=now)

    assert written() == []


def test_a_traced_queue_writes_every_attempt_for_twenty_minutes(traffic, now):
    queue_log.trace(queue=traffic.queue, by=traffic.operator, now=now)
    first, second = traffic.put(now=now), traffic.put(now=now)
    traffic.settle(BUSY, now=now)
    traffic.settle(ACCEPTED, now=now + timedelta(minutes=19))

    assert written() == [("TRACE", copy.message_id) for copy in (first, second, first, second)]


def test_a_trace_ends_by_itself(traffic, now):
    queue_log.trace(queue=traffic.queue, by=traffic.operator, now=now)
    traffic.put(now=now)

    traffic.settle(ACCEPTED, now=now + queue_log.TRACE)

    assert written() == []


def test_a_trace_leaves_other_queues_alone(traffic, now):
    other = make_outbound(traffic.admin, make_external(traffic.admin))
    queue_log.trace(queue=traffic.queue, by=traffic.operator, now=now)
    put(other, traffic.admin, now=now)

    traffic.settle(ACCEPTED, now=now)

    assert written() == []


def test_a_traced_message_given_up_leaves_both(traffic, now):
    queue_log.trace(queue=traffic.queue, by=traffic.operator, now=now)

    traffic.failed(now=now)

    assert [kind for kind, _message in written()] == ["TRACE", "REMOVAL"]


def test_a_line_has_the_columns_of_the_spec(traffic):
    now = datetime(2026, 5, 14, 9, 12, 3, 500_000, tzinfo=UTC)
    copy = traffic.failed(now=now)

    [line] = lines(traffic.operator, now.date())

    assert line == {
        "TimeStamp": "2026-05-14T09:12:03Z",
        "VaultId": str(copy.vault_id),
        "QueueName": traffic.queue.name,
        "ConnectionName": traffic.connection.record_id,
        "MessageId": str(copy.message_id),
        "EntryType": "REMOVAL",
        "QueueTime": "2026-05-14T09:12:03.500Z",
        "SendTime": "2026-05-14T09:12:03.500Z",
        "AttemptNumber": "1",
        "HttpStatus": "410",
        "Error": GONE.error,
        "Body": "(masked)",
    }


def test_bodies_are_in_the_file_only_when_asked_for(traffic, now):
    traffic.failed(now=now, items=("OP1",))

    [line] = lines(traffic.operator, now.date(), bodies=True)

    assert line["Body"] == '{"attributes":{"object":"study__v"},"items":["OP1"]}'


def test_a_file_holds_one_day_of_one_vault(traffic, now):
    traffic.failed(now=now - timedelta(days=1))
    stranger = make_member(make_vault(), Permission.QUEUE_LOG)

    assert lines(traffic.operator, now.date()) == []
    assert lines(stranger, (now - timedelta(days=1)).date()) == []
    assert len(lines(traffic.operator, (now - timedelta(days=1)).date())) == 1


def test_a_file_is_for_who_may_read_queue_logs(traffic, now):
    traffic.failed(now=now)
    reader = make_member(traffic.admin.vault, Permission.QUEUE_LOG)

    assert len(lines(reader, now.date())) == 1
    assert lines(traffic.admin, now.date()) == []


def test_lines_are_forgotten_after_thirty_days(traffic, now):
    traffic.failed(now=now - timedelta(days=31))
    traffic.failed(now=now - timedelta(days=29))

    assert queue_log.forget(now=now) == 1

    assert QueueLogEntry.objects.count() == 1


def test_a_trace_is_audited_and_needs_the_permission(traffic, now):
    queue_log.trace(queue=traffic.queue, by=traffic.operator, now=now)
    reader = make_member(traffic.admin.vault, Permission.QUEUE_LOG)

    assert AuditEvent.objects.filter(event="queue.trace_started").count() == 1
    with pytest.raises(PermissionRefused):
        queue_log.trace(queue=traffic.queue, by=reader, now=now)


def test_an_inbound_queue_cannot_be_traced(traffic, now):
    inbound = Queue(vault=traffic.admin.vault, label="Arrivals", type=QueueType.INBOUND)

    with pytest.raises(Refused, match="nothing to trace"):
        queue_log.trace(queue=inbound, by=traffic.operator, now=now)


def test_a_reset_and_a_removal_leave_lines_of_incoming_messages(traffic, now):
    queue = make_inbound(traffic.admin, processor=filing.NAME)
    waiting = make_incoming(queue, None)
    parked = make_incoming(queue, None, state="set_aside", due_at=None, settled_at=now)

    set_aside.remove(message=parked, reason="Sent by mistake", by=traffic.operator, now=now)
    queue_ending.reset(queue=queue, by=traffic.admin, now=now)

    told = list(QueueLogEntry.objects.order_by("pk").values_list("message_id", "error"))
    assert told == [(parked.message_id, "Removed: Sent by mistake"), (waiting.message_id, "The queue was reset.")]
