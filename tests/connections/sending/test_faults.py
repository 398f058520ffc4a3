import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from connections.delivery import draining, settling
from connections.delivery.policy import POLICY
from connections.models import ConnectionStats, DeliveryAttempt, Lane, MessageCopy, QueueLogEntry
from connections.services.messages import tallies
from connections.spark.retrying import WINDOW
from tests.connections.sending.conftest import HOST
from tests.factories.connections import make_external
from tests.factories.spark import make_outbound, put
from tests.vaultadmin.outbound.peers import answer, drip, flood, hang, raw, server_context
from vaultadmin import clock

SHORT = replace(POLICY, call=0.4)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"


@pytest.fixture
def message(admin, queue):
    return put(queue, admin).copies[0]


def fate():
    copy, attempt = MessageCopy.objects.get(), DeliveryAttempt.objects.latest("number")
    return copy.state, attempt.outcome, attempt.status


def due():
    copy = MessageCopy.objects.get()
    return copy.due_at - copy.entered_at


@pytest.mark.parametrize(
    ("script", "outcome", "status"),
    [
        (hang, "timeout", None),
        (drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"), "timeout", 200),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"), "no_answer", 200),
        (raw(b""), "no_answer", None),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "no_answer", None),
        (answer(status="302 Found", headers=("Location: https://10.0.0.1/",)), "refused", 302),
        (answer(status="400 Bad Request"), "refused", 400),
        (answer(status="500 Oh"), "refused", 500),
    ],
    ids=["hangs", "drips", "closes", "closes_at_once", "speaks_something_else", "redirects", "400", "500"],
)
def test_a_receiver_that_does_not_accept_is_tried_again_a_minute_later(
    message, queue, connection, listen, dials, script, outcome, status
):
    peer = listen(script)

    draining.drain(policy=SHORT)

    assert fate() == ("waiting", outcome, status)
    assert timedelta(seconds=54) <= due() <= timedelta(seconds=72)
    assert tallies.waiting(queue) == 1
    assert {address for address, _port in dials} == {"127.0.0.1"}
    assert len(peer.requests) == 1
    stats = ConnectionStats.objects.get(connection=connection)
    assert (stats.sent, stats.failures, stats.retries, stats.fatal) == (0, 1, 0, 0)
    assert stats.timeouts == (outcome == "timeout")


@pytest.mark.parametrize(
    "script",
    [
        flood(HEAD, b"x" * 65_536),
        answer(b"y" * 70_000),
        answer(b"\x1f\x8b", headers=("Content-Encoding: gzip",)),
        answer(b"", status="204 No Content"),
    ],
    ids=["a gigabyte", "more than is kept", "compressed", "nothing"],
)
def test_what_follows_a_2xx_changes_nothing(message, listen, script):
    listen(script)

    draining.drain(policy=SHORT)

    assert fate()[:2] == ("delivered", "delivered")
    assert len(DeliveryAttempt.objects.get().answer) <= 2048


def test_an_answer_is_kept_as_text_whatever_its_bytes(message, listen):
    listen(answer(b"\x00\xff\xfe ok", status="500 Oh"))

    draining.drain()

    assert DeliveryAttempt.objects.get().answer == "\ufffd\ufffd\ufffd ok"


def expired(authority):
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    return server_context(authority.issue_cert(HOST, not_before=long_ago, not_after=long_ago + timedelta(days=1)))


def test_a_200_behind_an_expired_certificate_is_never_asked_for(message, queue, listen, authority):
    peer = listen(answer(), context=expired(authority))

    draining.drain()

    assert fate() == ("failed", "no_answer", None)
    assert "certificate" in DeliveryAttempt.objects.get().error
    assert peer.requests == []
    assert tallies.waiting(queue) == 0


def test_an_expired_certificate_is_waited_for_where_that_is_set(message, listen, authority, settings):
    settings.SPARK_ENDS_ON_BAD_CERTIFICATE = False
    listen(answer(), context=expired(authority))

    draining.drain()

    assert fate() == ("waiting", "no_answer", None)


def test_a_private_address_is_refused_and_ends_the_message(admin, settings, dials):
    settings.OUTBOUND_RESOLVE = ""
    queue = make_outbound(admin, make_external(admin, url="https://${Custom.host}/"))
    put(queue, admin, custom={"host": "169.254.169.254"})

    draining.drain()

    assert fate() == ("failed", "not_sent", None)
    assert dials == []


def test_410_ends_the_copy_at_once_and_is_logged(message, queue, connection, listen):
    listen(answer(status="410 Gone"))

    draining.drain()

    assert fate() == ("failed", "refused", 410)
    assert tallies.waiting(queue) == 0
    assert QueueLogEntry.objects.get().entry_type == "REMOVAL"
    stats = ConnectionStats.objects.get(connection=connection)
    assert (stats.failures, stats.fatal) == (1, 1)


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        ("7200", timedelta(hours=2)),
        ("31536000", WINDOW - timedelta(minutes=1)),
        ("9" * 400, timedelta(minutes=1)),
        ("-5", timedelta(minutes=1)),
        ("0", timedelta(minutes=1)),
        ("Fri, 01 Jan 2100 00:00:00 GMT", WINDOW - timedelta(minutes=1)),
        ("Wed, 01 Jan 2020 00:00:00 GMT", timedelta(minutes=1)),
        ("soon", timedelta(minutes=1)),
    ],
)
def test_retry_after_only_delays_and_never_past_the_window(message, listen, asked, waits):
    listen(answer(status="429 Too Many Requests", headers=(f"Retry-After: {asked}",)))

    draining.drain()

    assert fate() == ("waiting", "refused", 429)
    assert abs(due() - waits) < timedelta(seconds=12)


def test_a_message_is_tried_for_six_hours_and_then_removed(message, queue, listen, monkeypatch):
    monkeypatch.setattr(settling, "random", SimpleNamespace(random=lambda: 0.5))
    peer = listen(answer(status="500 Oh"))
    begun = MessageCopy.objects.get().entered_at
    for _ in range(20):
        copy = MessageCopy.objects.get()
        if copy.due_at is None:
            break
        Lane.objects.update(paused_until=None)
        draining.drain(now=lambda moment=copy.due_at: moment)

    copy = MessageCopy.objects.get()
    assert (copy.state, len(peer.requests), copy.attempts) == ("failed", 11, 11)
    assert copy.settled_at - begun <= WINDOW
    assert tallies.waiting(queue) == 0
    assert QueueLogEntry.objects.get().error == "The receiver answered with the HTTP status 500."
    assert list(DeliveryAttempt.objects.values_list("number", flat=True)) == list(range(1, 12))
    assert sum(ConnectionStats.objects.values_list("retries", flat=True)) == 10


def test_a_message_whose_time_ran_out_while_nobody_sent_is_removed_with_the_reason(message, queue, listen):
    peer = listen(answer(status="500 Oh"))
    draining.drain()

    draining.drain(now=lambda: clock.now() + WINDOW)

    copy = MessageCopy.objects.get()
    assert (copy.state, len(peer.requests)) == ("failed", 1)
    assert copy.reason
    assert QueueLogEntry.objects.get().error == copy.reason


def test_a_message_that_was_never_tried_gets_its_try_however_late(message, listen):
    listen(answer())

    draining.drain(now=lambda: clock.now() + 2 * WINDOW)

    assert MessageCopy.objects.get().state == "delivered"


def test_a_receiver_that_does_not_answer_is_left_alone_for_a_while_and_then_asked_once(admin, queue, listen):
    peer = listen(answer(status="503 Away"))
    for _ in range(30):
        put(queue, admin)
    policy = replace(POLICY, concurrency=1)
    begun = clock.now()

    draining.drain(policy=policy)
    draining.drain(policy=policy)

    assert len(peer.requests) == 5
    assert MessageCopy.objects.filter(attempts=0, state="waiting").count() == 25
    pauses = []
    for asked in range(6, 11):
        lane = Lane.objects.get()
        moment = lane.paused_until + timedelta(seconds=1)
        draining.drain(policy=policy, now=lambda moment=moment: moment)
        assert len(peer.requests) == asked
        pauses.append((Lane.objects.get().paused_until - moment).total_seconds())
    assert pauses == [60, 120, 240, 300, 300]
    assert begun < Lane.objects.get().paused_until


def test_a_receiver_that_answers_again_gets_everything_that_waited(admin, queue, listen):
    scripts = [answer(status="503 Away")] * 5
    peer = listen(lambda sock, peer: (scripts.pop() if scripts else answer())(sock, peer))
    for _ in range(20):
        put(queue, admin)
    policy = replace(POLICY, concurrency=1)
    draining.drain(policy=policy)
    later = Lane.objects.get().paused_until + timedelta(seconds=40)

    draining.drain(policy=policy, now=lambda: later)

    assert len(peer.requests) == 25
    assert set(MessageCopy.objects.values_list("state", flat=True)) == {"delivered"}
    lane = Lane.objects.get()
    assert (lane.failures_in_row, lane.paused_until, lane.last_outcome) == (0, None, "ok")


def test_messages_refused_for_themselves_do_not_stop_the_lane(admin, queue, listen):
    peer = listen(answer(status="400 Bad Request"))
    for _ in range(12):
        put(queue, admin)

    draining.drain()

    assert len(peer.requests) == 12
    assert Lane.objects.get().paused_until is None


def test_a_receiver_that_does_not_answer_keeps_no_other_waiting(admin, queue, listen):
    served = threading.Event()

    def silent_until_the_others_are_served(sock, peer):
        served.wait(20)
        return answer()(sock, peer)

    def counting(sock, peer):
        if len(peer.requests) == 20:
            served.set()
        return answer()(sock, peer)

    listen(silent_until_the_others_are_served)
    listen(counting, host="lively.example.com")
    other = make_outbound(admin, make_external(admin, url="https://lively.example.com/"))
    for _ in range(20):
        put(queue, admin)
        put(other, admin)

    draining.drain(policy=replace(POLICY, batch=4))

    assert set(MessageCopy.objects.values_list("state", flat=True)) == {"delivered"}
    assert set(DeliveryAttempt.objects.values_list("outcome", flat=True)) == {"delivered"}
