import json
from uuid import uuid4

import pytest
from django.db import DatabaseError

from connections import processors, signed_json
from connections.constants import CertificateStage, ConnectionState
from connections.delivery import draining
from connections.models import (
    Binding,
    CertificateAnnouncement,
    Connection,
    ConnectionStats,
    DeliveryAttempt,
    IncomingMessage,
    MessageCopy,
)
from connections.processors import Processor
from connections.services.messages import accepting, arrivals, queues, tallies
from connections.spark.message import CAPACITY
from connections.spark.verifying import read_request
from tests.connections.rollovers import established
from tests.connections.sending.captured import Captured
from tests.factories.connections import make_certificate
from tests.factories.spark import make_inbound, make_outbound, make_spark_admin, put
from tests.vaultadmin.outbound.peers import answer
from vaultadmin import clock


class World:
    def __init__(self, pair):
        self.source, self.target = established(pair)
        self.sender, self.receiver = make_spark_admin(pair.source), make_spark_admin(pair.target)
        self.queue = make_outbound(self.sender, self.source, deliver_to="arrivals__c", name="updates__c")
        self.inbound = make_inbound(self.receiver, self.target, processor="noted", name="arrivals__c")

    def put(self, **message):
        return put(self.queue, self.sender, **message)

    def far_away(self):
        """The same agreement, but the other vault lives in another installation."""
        changes = {"peer_installation_id": uuid4(), "peer_url": "https://rtsm.example.com/v/7/peering/"}
        Binding.objects.filter(connection=self.source).update(peer_vault_id=7, **changes)
        return self


@pytest.fixture
def world(pair, monkeypatch):
    monkeypatch.setitem(processors.registered, "noted", Processor("Noted", "", lambda *_: None))
    return World(pair)


def fate():
    copy, attempt = MessageCopy.objects.get(), DeliveryAttempt.objects.get()
    return copy.state, attempt.outcome, attempt.status


def test_between_vaults_of_one_installation_the_rows_are_those_of_a_remote_delivery(world):
    response = world.put(attributes={"n": 1}, items=["A"])

    assert draining.drain() == 1

    arrived, attempt = IncomingMessage.objects.get(), DeliveryAttempt.objects.get()
    assert fate() == ("delivered", "delivered", 200)
    assert arrived.message_id == response.copies[0].message_id
    assert (arrived.vault, arrived.queue, arrived.connection) == (world.receiver.vault, world.inbound, world.target)
    assert (arrived.remote_vault_id, arrived.remote_queue_name) == (world.sender.vault_id, "updates__c")
    assert (arrived.certificate_id, attempt.certificate_id) == ("00001", "00001")
    assert attempt.url.endswith(f"/v/{world.receiver.vault_id}/spark/arrivals__c")
    assert json.loads(arrived.body)["message"] == {"attributes": {"n": 1}, "items": ["A"]}
    assert (tallies.waiting(world.queue), tallies.waiting(world.inbound)) == (0, 1)
    arrivals.count_up()
    stats = {row.connection: (row.sent, row.received) for row in ConnectionStats.objects.select_related("connection")}
    assert stats == {world.source: (1, 0), world.target: (0, 1)}


def inactive_queue(world):
    queues.set_active(queue=world.inbound, active=False, by=world.receiver, now=clock.now())


def inactive_connection(world):
    Connection.objects.filter(pk=world.target.pk).update(state=ConnectionState.INACTIVE)


def unlisted(world):
    world.inbound.connections.all().delete()


def full(world):
    tallies.add({world.inbound.pk: CAPACITY})


@pytest.mark.parametrize(
    ("obstacle", "status"),
    [(inactive_queue, 403), (inactive_connection, 403), (unlisted, 403), (full, 503)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_the_other_vault_does_not_take_waits_for_another_try(world, obstacle, status):
    obstacle(world)
    world.put()

    draining.drain()

    assert fate() == ("waiting", "refused", status)
    assert not IncomingMessage.objects.exists()
    assert DeliveryAttempt.objects.get().error.startswith("The other Vault answered: ")


def test_a_store_that_is_down_over_there_is_a_failure_like_any_other(world, monkeypatch):
    def down(*_args, **_kwargs):
        raise DatabaseError("down")

    monkeypatch.setattr(accepting, "accept", down)
    world.put()

    draining.drain()

    assert fate() == ("waiting", "refused", 503)


def test_a_copy_delivered_twice_is_stored_once(world):
    world.put()
    draining.drain()
    MessageCopy.objects.update(state="waiting", due_at=clock.now(), settled_at=None)

    draining.drain()

    assert MessageCopy.objects.get().state == "delivered"
    assert IncomingMessage.objects.count() == 1
    assert arrivals.count_up() == 1
    assert ConnectionStats.objects.get(connection=world.target).received == 1


def test_to_another_installation_the_signed_message_is_posted_beside_its_handshake(world, listen):
    peer = listen(answer(b""))
    world.far_away().put(attributes={"n": 1}, items=["A"])

    draining.drain()

    request = Captured(peer.requests[0])
    url = "https://rtsm.example.com/v/7/spark/arrivals__c"
    key = signed_json.public_key(signed_json.read_certificate(make_certificate().pem))
    assert request.line == "POST /v/7/spark/arrivals__c HTTP/1.1"
    read_request(list(request.headers.items()), urls=[url]).verify(request.body, key)
    assert "authorization" not in request.headers
    assert fate() == ("delivered", "delivered", 200)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "413 Too Large", "503 Unavailable"])
def test_what_another_installation_refuses_waits_for_another_try(world, listen, status):
    listen(answer(b"no", status))
    world.far_away().put()

    draining.drain()

    assert fate() == ("waiting", "refused", int(status[:3]))


def test_a_peer_is_signed_for_with_the_certificate_chosen_on_the_connection_once_it_knows_it(world, listen, now):
    peer = listen(answer(b""))
    newer = make_certificate(number=2, stage=CertificateStage.ROLLOVER)
    Connection.objects.filter(pk=world.source.pk).update(signing_certificate=newer)
    world.far_away().put()
    draining.drain()
    binding = Binding.objects.get(connection=world.source)
    CertificateAnnouncement.objects.create(
        binding=binding, certificate=newer, message_id=uuid4(), posted_at=now, answered_at=now, accepted=True
    )
    world.put()
    draining.drain()

    assert [Captured(raw).part("certificateid") for raw in peer.requests] == ["00001", "00002"]


def test_a_binding_that_ended_leaves_messages_waiting(world):
    Connection.objects.filter(pk=world.source.pk).update(state=ConnectionState.DISCONNECTED)
    world.put()

    draining.drain()

    assert MessageCopy.objects.get().state == "waiting"
    assert not DeliveryAttempt.objects.exists()


def test_no_credentials_travel_between_vaults(world):
    world.put(attributes={"key": "${Auth.Password}"})

    draining.drain()

    assert fate() == ("waiting", "not_sent", None)
    assert "between Vaults" in DeliveryAttempt.objects.get().error
