from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connections.models import Binding, ConnectionStats, IncomingMessage, Queue, QueueTally, TrafficSlot
from connections.models.traffic import LONG, SHORT, Arrival
from connections.processing import filing, working
from connections.services.messages import accepting, arrivals
from tests.connections.remote_peer import certificate_for, key_of_another_installation
from tests.connections.remote_peer import post as post_to_peering
from tests.connections.spark_peer import SparkLetter, post
from tests.connections.spark_world import *  # noqa: F403
from tests.connections.spark_world import stored
from tests.factories.spark import make_inbound
from vaultadmin import clock, place
from vaultadmin.models import AuditEvent, Installation, Vault

pytestmark = pytest.mark.django_db


@pytest.fixture
def regular(client, letter):
    assert post(client, letter).status_code == 200
    return letter


def another(letter, **changes):
    return SparkLetter(letter.peer, letter.queue, **changes)


def test_next_message_of_a_known_sender_takes_one_statement(client, regular, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert post(client, another(regular)).status_code == 200

    assert stored() == 2
    assert sum(QueueTally.objects.values_list("waiting", flat=True)) == 2


def test_known_sender_with_a_wrong_signature_is_refused_and_written_down(client, regular):
    forged = another(regular)

    answer = post(client, forged, headers=forged.headers(key=key_of_another_installation(1)))

    assert (answer.status_code, stored()) == (401, 1)
    assert AuditEvent.objects.filter(event="spark_message.refused").count() == 1


def test_known_sender_is_told_of_another_message_with_one_id(client, regular):
    assert post(client, replace(regular, items=["other"])).status_code == 409
    assert post(client, regular).status_code == 200
    assert stored() == 1


def test_what_is_signed_for_another_vaults_name_is_not_taken(client, regular):
    Vault.objects.filter(pk=regular.queue.vault_id).update(dns="renamed.example.test")
    letter = another(regular)
    old, new = (f"https://{name}{letter.path}" for name in (regular.queue.vault.dns, "renamed.example.test"))

    assert post(client, letter, headers=letter.headers(url=old)).status_code == 401
    assert post(client, letter, headers=letter.headers(url=new)).status_code == 200


def test_certificate_exchanged_on_the_binding_is_no_longer_remembered(client, regular, binding):
    key = key_of_another_installation(1)
    Binding.objects.filter(pk=binding.pk).update(peer_certificate_pem=certificate_for(key))
    new = another(regular)

    assert post(client, another(regular)).status_code == 401
    assert post(client, new, headers=new.headers(key=key)).status_code == 200


def test_certificate_that_ran_out_is_not_used_from_memory(client, regular, monkeypatch):
    later = clock.now() + timedelta(days=365 * 30)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert post(client, another(regular, sent_at=later)).status_code == 401


def test_installation_that_is_held_takes_nothing_from_known_senders(client, regular):
    Installation.objects.update(place={place.DATABASE: "elsewhere"})

    assert post(client, another(regular)).status_code == 503
    assert stored() == 1


def test_full_queue_asks_known_senders_to_come_again(client, regular, monkeypatch):
    monkeypatch.setattr(accepting, "CAPACITY", 2)

    assert [post(client, another(regular)).status_code for _ in range(2)] == [200, 503]


def test_queue_made_anew_under_the_same_name_gets_the_next_message(client, regular, owner, connection):
    Queue.objects.filter(pk=regular.queue.pk).update(name="before__c")
    made = make_inbound(owner, connection, processor=filing.NAME, name="arrivals__c")

    assert post(client, replace(another(regular), queue=made)).status_code == 200
    assert IncomingMessage.objects.latest("pk").queue == made


def test_second_connection_of_the_same_vaults_ends_what_is_remembered(client, regular, pair, peer, owner, connection):
    second = pair.source_record(remote_vault_id=peer.vault_id)
    post_to_peering(client, peer.connect(pair.file(connection=second)))
    link = regular.queue.connections.get()
    link.connection = second
    link.save()

    assert post(client, another(regular)).status_code == 200
    assert IncomingMessage.objects.latest("pk").connection == second


def test_messages_that_came_in_are_counted_once_at_the_time_they_came(client, regular, connection):
    post(client, another(regular))
    long_ago = datetime(2026, 3, 31, 23, 59, 30, tzinfo=UTC)
    Arrival.objects.filter(message=IncomingMessage.objects.earliest("pk").pk).update(at=long_ago)

    assert [arrivals.count_up(limit=1), arrivals.count_up()] == [2, 0]

    days = dict(ConnectionStats.objects.filter(connection=connection).values_list("date", "received"))
    assert days == {long_ago.date(): 1, clock.now().date(): 1}
    for minutes in (SHORT, LONG):
        first = TrafficSlot.objects.filter(minutes=minutes).earliest("starts_at")
        assert (first.received, first.last_at) == (1, long_ago)
        assert TrafficSlot.objects.filter(minutes=minutes).count() == 2


def test_messages_are_counted_while_those_before_them_wait(client, regular, connection):
    IncomingMessage.objects.update(due_at=clock.now() + timedelta(hours=1))

    working.work(now=clock.now)

    assert ConnectionStats.objects.get(connection=connection).received == 1
    assert not Arrival.objects.exists()


def test_what_a_queue_carried_that_has_gone_is_not_counted(client, regular):
    Arrival.objects.update(queue=0, connection=0)

    assert arrivals.count_up() == 1
    assert not TrafficSlot.objects.exists()
    assert not ConnectionStats.objects.exists()
