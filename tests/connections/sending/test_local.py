import json

import pytest

from connections import processors
from connections.constants import ConnectionState
from connections.delivery import draining
from connections.models import Connection, ConnectionStats, DeliveryAttempt, IncomingMessage, MessageCopy
from connections.processors import Processor
from connections.services.messages import queues, tallies
from connections.spark.message import CAPACITY, PutError
from tests.factories.connections import make_external, make_local
from tests.factories.spark import make_inbound, make_link, make_outbound, put
from vaultadmin import clock


@pytest.fixture
def local(admin):
    return make_local(admin, api_name="itself")


@pytest.fixture
def inbound(admin, monkeypatch):
    monkeypatch.setitem(processors.registered, "noted", Processor("Noted", "", lambda *_: None))
    return make_inbound(admin, processor="noted", name="arrivals__c")


@pytest.fixture
def queue(admin, local, inbound):
    return make_outbound(admin, local, deliver_to="arrivals__c", name="updates__c")


def counted(connection):
    return list(ConnectionStats.objects.filter(connection=connection).values_list("sent", "received", "failures"))


def test_a_message_lies_in_the_inbound_queue_as_soon_as_it_is_put(
    admin, local, queue, inbound, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        response = put(queue, admin, attributes={"n": 1}, items=["A"])

    copy, arrived = MessageCopy.objects.get(), IncomingMessage.objects.get()
    assert (copy.state, copy.due_at, copy.attempts) == ("delivered", None, 1)
    assert DeliveryAttempt.objects.get().outcome == "delivered"
    assert arrived.message_id == copy.message_id == response.copies[0].message_id
    assert (arrived.queue, arrived.connection, arrived.state) == (inbound, local, "waiting")
    assert (arrived.remote_vault_id, arrived.remote_queue_name, arrived.keys) == (admin.vault_id, queue.name, ["A"])
    body = json.loads(arrived.body)
    assert (body["queue_name"], body["send_attempt"]) == (queue.name, 1)
    assert body["message"] == {"attributes": {"n": 1}, "items": ["A"]}
    assert (tallies.waiting(queue), tallies.waiting(inbound)) == (0, 1)
    assert counted(local) == [(1, 1, 0)]


def test_a_full_inbound_queue_refuses_the_put(admin, queue, inbound):
    tallies.add({inbound.pk: CAPACITY})

    assert put(queue, admin).error is PutError.QUEUE_FULL
    assert not MessageCopy.objects.exists()


def test_an_inactive_inbound_queue_refuses_the_put(admin, queue, inbound):
    queues.set_active(queue=inbound, active=False, by=admin, now=clock.now())

    assert put(queue, admin).error is PutError.QUEUE_INACTIVE


def test_a_local_connection_that_is_not_active_refuses_the_put(admin, queue, local):
    Connection.objects.filter(pk=local.pk).update(state=ConnectionState.INACTIVE)

    assert put(queue, admin).error is PutError.NO_ACTIVE_CONNECTION


def test_with_delivery_disabled_messages_wait_and_go_over_in_their_order(admin, local, queue, inbound):
    queues.set_delivery(queue=queue, enabled=False, by=admin, now=clock.now())
    put(queue, admin, items=["first"])
    assert not IncomingMessage.objects.exists()
    queues.set_delivery(queue=queue, enabled=True, by=admin, now=clock.now())
    put(queue, admin, items=["second"])
    assert not IncomingMessage.objects.exists()

    assert draining.drain() == 2

    assert [row.keys[0] for row in IncomingMessage.objects.order_by("pk")] == ["first", "second"]
    assert (tallies.waiting(queue), tallies.waiting(inbound)) == (0, 2)
    assert counted(local) == [(2, 2, 0)]
    assert put(queue, admin, items=["third"]).error is None
    assert IncomingMessage.objects.count() == 3


def test_an_inbound_queue_that_cannot_take_it_is_tried_again_by_the_sender(admin, queue, inbound):
    queues.set_delivery(queue=queue, enabled=False, by=admin, now=clock.now())
    put(queue, admin)
    queues.set_delivery(queue=queue, enabled=True, by=admin, now=clock.now())
    queues.set_active(queue=inbound, active=False, by=admin, now=clock.now())

    draining.drain()

    copy, attempt = MessageCopy.objects.get(), DeliveryAttempt.objects.get()
    assert (copy.state, copy.attempts) == ("waiting", 1)
    assert attempt.outcome == "refused"
    assert "Inactive" in attempt.error


def test_tokens_are_filled_in_and_a_session_is_never_stored(admin, queue):
    put(queue, admin, attributes={"vault": "${Vault.id}", "mine": "${Custom.mine}"}, custom={"mine": 7})
    put(queue, admin, attributes={"session": "${Session.ConnectionUserSessionId}"})

    draining.drain()

    arrived = IncomingMessage.objects.get()
    assert json.loads(arrived.body)["message"]["attributes"] == {"vault": str(admin.vault_id), "mine": "7"}
    assert "Session" in DeliveryAttempt.objects.get(outcome="not_sent").error


def test_other_connections_of_the_queue_get_their_copies_all_the_same(admin, local, queue):
    make_link(queue, make_external(admin, api_name="rtsm"), admin)

    response = put(queue, admin)

    assert [copy.connection_name for copy in response.copies] == ["itself", "rtsm"]
    assert set(MessageCopy.objects.values_list("connection__api_name", "state")) == {
        ("itself", "delivered"),
        ("rtsm", "waiting"),
    }
    assert tallies.waiting(queue) == 1
