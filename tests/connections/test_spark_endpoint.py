import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.db import connection as database
from django.test import Client

from connections.constants import ConnectionState
from connections.models import Binding, Connection, FiledMessage, IncomingMessage, PeerCertificate, PeerClock, Queue
from connections.processing import filing, working
from connections.services.messages import accepting, queue_links, queues, tallies
from connections.spark.reading import MAX_BYTES
from connections.spark.signing import sign
from tests.connections.remote_peer import RemotePeer, certificate_for, key_of_another_installation
from tests.connections.remote_peer import post as post_to_peering
from tests.connections.spark_peer import SparkLetter, post
from tests.connections.spark_world import *  # noqa: F403
from tests.connections.spark_world import stored
from tests.factories.people import make_vault
from tests.factories.spark import make_inbound
from vaultadmin import clock
from vaultadmin.models import AuditEvent

pytestmark = pytest.mark.django_db


def kept():
    return IncomingMessage.objects.get()


def test_message_of_a_peer_is_stored_as_it_came(client, letter, peer, connection):
    raw = letter.raw()

    assert post(client, letter, raw=raw).status_code == 200

    row = kept()
    assert row.body == raw.decode()
    assert (row.connection, row.queue, row.message_id) == (connection, letter.queue, letter.message_id)
    assert (row.remote_vault_id, row.remote_queue_name, row.certificate_id) == (peer.vault_id, "studies__c", "00001")
    assert row.keys == ["X1", "study__v"]
    assert not row.is_receipt
    assert tallies.waiting(letter.queue) == 1


def test_receipt_is_known_as_one(client, letter):
    post(client, replace(letter, attributes={"receipt_for__sys": str(uuid4())}))

    assert kept().is_receipt


def test_body_may_be_ordered_and_spaced_as_the_sender_likes(client, letter):
    document = dict(reversed(json.loads(letter.raw()).items())) | {"region": "eu"}
    document["enter_queue_timestamp"] = "2026-01-02T03:04:05Z"
    raw = json.dumps(document, indent=2).encode()

    assert post(client, letter, raw=raw).status_code == 200


def test_header_case_unknown_signed_headers_and_folded_signatures_are_accepted(client, letter):
    raw = letter.raw()
    headers = letter.headers(raw) | {"X-VaultAPISignature-HostVault": "other.example.com"}
    signed = {name: value for name, value in headers.items() if name.startswith("X-VaultAPISignature-")}
    headers |= sign(signed, raw, url=letter.url, key=letter.peer.key)
    value = headers["X-VaultAPI-SignatureV2"]
    headers["X-VaultAPI-SignatureV2"] = " ".join(value[at : at + 76] for at in range(0, len(value), 76))

    assert post(client, letter, raw=raw, headers={k.upper(): v for k, v in headers.items()}).status_code == 200


def test_query_of_the_address_and_the_vaults_own_name_are_signed_with_it(client, letter):
    url = f"https://{letter.queue.vault.dns}{letter.path}?tenant=a%20b"

    answer = post(client, letter, headers=letter.headers(url=url), path=f"{letter.path}?tenant=a%20b")

    assert answer.status_code == 200


def test_replay_has_one_effect(client, letter, goal):
    raw, headers = letter.raw(), letter.headers()

    codes = {post(Client(), letter, raw=raw, headers=headers).status_code for _ in range(20)}
    working.work(now=clock.now)
    working.work(now=clock.now)

    effects = (stored(), FiledMessage.objects.count())
    goal("D2").reached(figure=[codes == {200}, *effects], target=[True, 1, 1], ok=codes == {200} and effects == (1, 1))


def test_later_attempt_of_the_same_message_has_one_effect(client, letter):
    post(client, letter)

    later = replace(letter, attempt=2, sent_at=letter.sent_at + timedelta(seconds=60))

    assert post(client, later).status_code == 200
    assert stored() == 1
    assert tallies.waiting(letter.queue) == 1


def test_another_message_with_the_same_id_is_refused_and_written_down(client, letter):
    post(client, letter)

    answer = post(client, replace(letter, items=["other"]))

    assert answer.status_code == 409
    assert json.loads(kept().body)["message"]["items"] == ["X1"]
    assert "Another message" in AuditEvent.objects.get(event="spark_message.refused").reason


@pytest.mark.django_db(transaction=True)
def test_same_message_at_once_is_stored_once(letter, goal):
    raw, headers = letter.raw(), letter.headers()
    start = Barrier(8)

    def send(_number):
        try:
            start.wait(timeout=20)
            return post(Client(), letter, raw=raw, headers=headers).status_code
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        codes = set(pool.map(send, range(8)))

    figure = [sorted(codes), stored(), tallies.waiting(letter.queue)]
    goal("D2").reached(figure=figure, target=[[200], 1, 1], ok=figure == [[200], 1, 1])


def shuffled(count):
    """Each of `count` numbers three times, in an order that is always the same."""
    rows = [number for number in range(count) for _ in range(3)]
    return sorted(rows, key=lambda number: (number * 7919 + len(rows)) % 101)


def test_doubled_and_reordered_messages_have_one_effect_each(client, letter, goal):
    b11 = goal("B11")
    count = b11.count(small=8, full=500)
    letters = [SparkLetter(letter.peer, letter.queue, items=[str(number)]) for number in range(count)]

    for number in shuffled(count):
        assert post(client, letters[number]).status_code == 200
        working.work(now=clock.now)

    done = sorted(row.keys[0] for row in IncomingMessage.objects.filter(filed__isnull=False))
    figure = {"stored": stored(), "filed": FiledMessage.objects.count()}
    ok = done == sorted(map(str, range(count))) and set(figure.values()) == {count}
    b11.reached(figure=figure, target={"stored": count, "filed": count}, ok=ok)


def inactive_connection(letter, owner):
    Connection.objects.filter(pk=letter.queue.connections.get().connection_id).update(state=ConnectionState.INACTIVE)


def inactive_queue(letter, owner):
    queues.set_active(queue=letter.queue, active=False, by=owner, now=clock.now())


def inactive_link(letter, owner):
    queue_links.edit(link=letter.queue.connections.get(), label="", is_active=False, by=owner, now=clock.now())


def no_link(letter, owner):
    queue_links.remove(link=letter.queue.connections.get(), by=owner, now=clock.now())


@pytest.mark.parametrize("stop", [inactive_connection, inactive_queue, inactive_link, no_link])
def test_believed_message_that_cannot_be_taken_is_told_so(client, letter, owner, stop, goal):
    raw, headers = letter.raw(), letter.headers()
    stop(letter, owner)

    answer = post(client, letter, raw=raw, headers=headers)

    status = answer.status_code
    goal("D3").reached(figure=[stop.__name__, status], target=403, ok=status == 403 and not stored())
    assert answer.json()["detail"]


def test_reset_connection_is_a_stranger(client, letter, binding):
    Binding.objects.filter(pk=binding.pk).update(state="ended", ended_at=clock.now())

    assert post(client, letter).status_code == 401


def test_full_queue_asks_to_come_again(client, letter, monkeypatch):
    monkeypatch.setattr(accepting, "CAPACITY", 1)
    post(client, letter)

    answer = post(client, SparkLetter(letter.peer, letter.queue))

    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert stored() == 1


def test_store_that_is_down_asks_to_come_again(client, letter, monkeypatch):
    def down(*_arguments, **_more):
        raise OperationalError

    monkeypatch.setattr(accepting, "_store", down)

    assert post(client, letter).status_code == 503


@contextmanager
def counting_breaks():
    with database.cursor() as cursor:
        cursor.execute("ALTER TABLE connections_arrival ADD CONSTRAINT arrival_never CHECK (false) NOT VALID")
    try:
        yield
    finally:
        with database.cursor() as cursor:
            cursor.execute("ALTER TABLE connections_arrival DROP CONSTRAINT arrival_never")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known", [False, True])
def test_nothing_is_acknowledged_that_is_not_committed(client, letter, is_known, goal):
    before = [post(client, SparkLetter(letter.peer, letter.queue)).status_code for _ in range(is_known)]

    with counting_breaks():
        status = post(client, letter).status_code

    figure = [before, status, stored(), tallies.waiting(letter.queue)]
    target = [[200] * is_known, 503, int(is_known), int(is_known)]
    goal("C1").reached(figure=figure, target=target, ok=figure == target)


def test_oversized_body_is_refused_before_anything_else(client, letter):
    raw = b"x" * (MAX_BYTES + 1)

    answer = post(client, letter, raw=raw, headers={})

    assert answer.status_code == 413
    assert str(MAX_BYTES) in answer.json()["detail"]
    assert not AuditEvent.objects.filter(event="spark_message.refused").exists()


@pytest.mark.parametrize("method", ["get", "put", "delete", "options"])
def test_only_posts_are_taken(client, letter, method):
    assert getattr(client, method)(letter.path).status_code == 405


@pytest.mark.parametrize("path", ["/v/999999/spark/arrivals__c", "/v/99999999999999999999/spark/arrivals__c"])
def test_vault_that_is_none_is_a_stranger_like_any_other(client, letter, path):
    raw = letter.raw()

    answer = post(client, letter, raw=raw, path=path)

    assert answer.status_code == 401
    assert answer.content == post(client, letter, headers={}).content


def test_stranger_is_refused_before_our_first_certificate_is_made(client):
    vault = make_vault()
    letter = SparkLetter(RemotePeer(vault.pk), Queue(vault=vault, name="nowhere__c"))

    assert post(client, letter).status_code == 401


@pytest.mark.parametrize(("minutes", "status"), [(-9, 200), (5, 200), (-20, 401), (20, 401)])
def test_clock_that_is_off_is_told_to_operators(client, letter, minutes, status, goal):
    off = replace(letter, sent_at=letter.sent_at + timedelta(minutes=minutes))

    answer = post(client, off)

    told = AuditEvent.objects.filter(event="peering.clock_refused")
    figure = [answer.status_code, stored(), told.count()]
    target = [status, int(status == 200), int(status == 401)]
    goal("B8").reached(figure=[minutes, *figure], target=target, ok=figure == target)
    if status == 401:
        assert "clock" in AuditEvent.objects.get(event="spark_message.refused").reason
        assert abs(PeerClock.objects.get().offset_seconds) >= 1190


def test_repeating_old_words_says_nothing_about_a_clock(client, letter, monkeypatch):
    raw, headers = letter.raw(), letter.headers()
    post(client, letter, raw=raw, headers=headers)
    moment = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: moment)

    assert post(client, letter, raw=raw, headers=headers).status_code == 401
    assert not AuditEvent.objects.filter(event="peering.clock_refused").exists()


def test_vaults_connected_twice_use_the_connection_the_queue_takes_from(client, pair, peer, owner, connection):
    second = pair.source_record(remote_vault_id=peer.vault_id)
    post_to_peering(client, peer.connect(pair.file(connection=second)))
    queue = make_inbound(owner, second, processor=filing.NAME)

    assert post(client, SparkLetter(peer, queue)).status_code == 200
    assert kept().connection == second


def announced(binding, key, number="00002", **fields):
    now = clock.now()
    values = {
        "pem": certificate_for(key),
        "fingerprint": number * 2,
        "not_before": now,
        "not_after": now + timedelta(days=1),
        "in_use_from": now,
        "added_at": now,
    }
    return PeerCertificate.objects.create(binding=binding, certificate_id=number, **values | fields)


def test_rollover_takes_both_certificates_and_after_it_only_the_new_one(client, letter, binding, goal):
    new = key_of_another_installation(1)

    def codes():
        old_one = SparkLetter(letter.peer, letter.queue)
        new_one = SparkLetter(replace(letter.peer, certificate_id="00002", key=new), letter.queue)
        return [post(client, one).status_code for one in (old_one, new_one)]

    before = codes()
    announced(binding, new)
    during = codes()
    announced(binding, letter.peer.key, "00001", retired_at=clock.now())
    after = codes()

    figure, target = [before, during, after], [[200, 401], [200, 200], [401, 200]]
    goal("D4").reached(figure=figure, target=target, ok=figure == target)
