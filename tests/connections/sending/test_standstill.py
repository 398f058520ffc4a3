from datetime import timedelta

import pytest

from connections.constants import ConnectionState
from connections.delivery import claiming, draining
from connections.models import Connection, Lane, MessageCopy
from connections.services.messages import holding, queue_links, queues
from connections.spark.retrying import WINDOW
from tests.connections.sending.lane_work import put_all, states
from tests.factories.people import make_member
from tests.vaultadmin.outbound.peers import answer
from vaultadmin import clock, place
from vaultadmin.permissions import Permission


def delivery_switched_off(queue, connection, admin):
    queues.set_delivery(queue=queue, enabled=False, by=admin, now=clock.now())
    return lambda: queues.set_delivery(queue=queue, enabled=True, by=admin, now=clock.now() + 2 * WINDOW)


def connection_held(queue, connection, admin):
    operator = make_member(admin.vault, Permission.MESSAGES_OPERATE)
    held = holding.hold(connection=connection, reason="Moving house.", by=operator, now=clock.now())
    return lambda: holding.release(held=held, by=operator, now=clock.now() + 2 * WINDOW)


def connection_not_active(queue, connection, admin):
    Connection.objects.filter(pk=connection.pk).update(state=ConnectionState.INACTIVE)
    return lambda: Connection.objects.filter(pk=connection.pk).update(state=ConnectionState.ACTIVE)


def link_switched_off(queue, connection, admin):
    link = queue.connections.get()
    queue_links.edit(link=link, label="", is_active=False, by=admin, now=clock.now())
    on = {"link": link, "label": "", "is_active": True, "by": admin}
    return lambda: queue_links.edit(**on, now=clock.now() + 2 * WINDOW)


STANDSTILLS = [delivery_switched_off, connection_held, connection_not_active, link_switched_off]


@pytest.mark.parametrize("stop", STANDSTILLS, ids=lambda stop: stop.__name__)
def test_while_a_lane_stands_still_nothing_leaves_and_no_time_is_lost(admin, queue, connection, listen, stop):
    replies = [answer(status="400 Bad"), answer()]
    peer = listen(lambda sock, peer: (replies.pop(0) if len(replies) > 1 else replies[0])(sock, peer))
    put_all(queue, admin, "A")
    draining.drain()
    go_on = stop(queue, connection, admin)
    draining.drain(now=lambda: clock.now() + timedelta(minutes=5))
    assert len(peer.requests) == 1
    go_on()

    draining.drain(now=lambda: clock.now() + 2 * WINDOW + timedelta(minutes=5))

    assert len(peer.requests) == 2
    assert states(queue) == ["delivered"]


def test_a_connection_that_stops_being_active_under_a_sender_uses_up_no_attempt(
    admin, queue, connection, listen, monkeypatch
):
    peer = listen(answer())
    put_all(queue, admin, "A")
    real = claiming.take

    def too_late(**options):
        batches = real(**options)
        Connection.objects.filter(pk=connection.pk).update(state=ConnectionState.INACTIVE)
        return batches

    monkeypatch.setattr(claiming, "take", too_late)
    draining.drain()

    copy = MessageCopy.objects.get()
    assert (copy.state, copy.attempts) == ("waiting", 0)
    assert peer.requests == []
    assert Lane.objects.get().stopped_since is not None


def test_an_installation_that_may_be_a_copy_sends_nothing(admin, queue, listen, monkeypatch):
    peer = listen(answer())
    put_all(queue, admin, "A")
    monkeypatch.setattr(place, "held", lambda: True)

    assert draining.drain() == 0
    assert peer.requests == []
    assert Lane.objects.get().stopped_since is not None
