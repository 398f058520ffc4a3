import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client

from connections.constants import BindingState
from connections.models import Binding, IncomingPeerMessage, PeerClock
from connections.peering import protocol
from connections.peering.messages import Decision, MessageType, Party, Refusal
from connections.selectors.clocks import describe, of_peers
from connections.services import deleting
from connections.services.handshake import receiving
from connections.spark.signing import sign
from tests.connections.handshake import decide, fresh
from tests.connections.pages import sign_in
from tests.connections.remote_peer import Letter, RemotePeer, key_of_another_installation, post
from tests.factories.people import make_member, make_vault
from tests.fakes import carriers
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Installation
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def peer(pair):
    return RemotePeer(vault_id=pair.source.pk)


@pytest.fixture
def source(pair):
    return pair.source_record()


@pytest.fixture
def letter(pair, peer, source):
    return peer.connect(pair.file(connection=source))


@pytest.fixture
def binding(client, letter, source):
    assert post(client, letter).status_code == 200
    return Binding.objects.get(connection=source)


def refusals():
    return AuditEvent.objects.filter(event="peering.refused")


def test_connect_of_another_installation_is_taken(client, letter, source, peer):
    response = post(client, letter)

    answer = response.json()
    assert (response.status_code, answer["outcome"], answer["view"]["state"]) == (200, "accepted", "approving")
    binding = Binding.objects.get(connection=source)
    assert (binding.peer, binding.peer_url) == (peer.party, peer.peering_url)
    assert binding.peer_certificate_pem == letter.body["certificate_pem"]


def test_equal_vault_and_certificate_ids_are_another_vault(client, letter, source, pair, binding):
    assert binding.peer_vault_id == pair.source.pk
    assert binding.peer_certificate_id == source.signing_certificate.certificate_id
    assert binding.peer_certificate_pem != source.signing_certificate.pem


def test_stranger_is_refused_before_our_first_certificate_is_made(client):
    vault = make_vault()
    body = Decision(uuid4(), "Somebody", clock.now().replace(microsecond=0), "")
    here = Party(Installation.current().pk, vault.pk)
    letter = Letter(RemotePeer(vault.pk), MessageType.DELETE, protocol.write_body(body), here)

    assert post(client, letter).status_code == 401
    assert refusals().count() == 1


def test_both_sides_approve_over_the_network(client, peer, binding, pair):
    decide(binding, pair.source_approver, words_compared=True)
    response = post(client, peer.decide(binding))

    assert response.json()["outcome"] == "accepted"
    assert fresh(binding).state == BindingState.IN_FORCE


@pytest.mark.parametrize("type_", [MessageType.REJECT, MessageType.WITHDRAW])
def test_peer_ends_the_request_over_the_network(client, peer, binding, type_):
    post(client, peer.decide(binding, type_))

    assert fresh(binding).state in (BindingState.REJECTED, BindingState.WITHDRAWN)


def test_dns_name_of_the_vault_is_an_address_too(client, letter, pair):
    url = f"https://{pair.source.dns}/v/{pair.source.pk}/peering/connect"

    assert post(client, letter, headers=letter.headers(url=url)).status_code == 200


def test_query_of_the_address_is_signed_with_it(client, letter):
    url = f"{letter.url()}?tenant=a"
    path = f"/v/{letter.to.vault_id}/peering/connect?tenant=a"

    assert post(client, letter, headers=letter.headers(url=url), path=path).status_code == 200


def test_unknown_signed_header_and_other_case_are_accepted(client, letter):
    raw = letter.raw()
    envelope = letter.envelope() | {"X-VaultAPISignature-HostVault": "other.example.com"}
    headers = envelope | sign(envelope, raw, url=letter.url(), key=letter.peer.key)

    assert post(client, letter, raw=raw, headers={k.upper(): v for k, v in headers.items()}).status_code == 200


def test_replay_at_once_has_one_effect(client, letter, source, goal):
    raw = letter.raw()
    headers = letter.headers(raw)

    answers = [post(client, letter, raw=raw, headers=headers) for _ in range(20)]

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["outcome"] for answer in answers} == {"accepted"}
    effects = (Binding.objects.count(), IncomingPeerMessage.objects.count())
    goal("D2").reached(figure=effects, target=(1, 1), ok=effects == (1, 1))


def test_same_message_in_a_new_envelope_has_one_effect(client, peer, binding):
    letter = peer.decide(binding)
    post(client, letter)
    letter.sent_at += timedelta(seconds=30)

    assert post(client, letter).json()["outcome"] == "accepted"
    assert AuditEvent.objects.filter(event="connection.approved_remotely").count() == 1


def test_approval_before_its_connect_is_not_believed(client, peer, letter, source, pair):
    post(client, letter)
    known = Binding.objects.get(connection=source)
    early = peer.decide(known)
    Binding.objects.all().delete()

    assert post(client, early).status_code == 401


def test_message_about_a_deleted_record_is_answered_to_the_peer_that_knew_it(client, peer, binding, pair, monkeypatch):
    carriers.use(monkeypatch, carriers.UnreliableCarrier(carriers.LOSE_MESSAGE))
    late = peer.decide(binding)
    deleting.delete(connection=binding.connection, by=pair.source_admin, now=clock.now())

    response = post(client, late)

    assert (response.status_code, response.json()["code"]) == (200, Refusal.EXCHANGE_UNKNOWN)
    assert not refusals().exists()


def test_message_about_a_deleted_record_from_anybody_else_is_not_believed(client, peer, binding, pair, monkeypatch):
    carriers.use(monkeypatch, carriers.UnreliableCarrier(carriers.LOSE_MESSAGE))
    late = peer.decide(binding)
    deleting.delete(connection=binding.connection, by=pair.source_admin, now=clock.now())
    stranger = key_of_another_installation(1)
    raw = late.raw(key=stranger)

    assert post(client, late, raw=raw, headers=late.headers(raw, key=stranger)).status_code == 401
    assert refusals().count() == 1


def test_deletion_told_over_the_network_disconnects(client, peer, binding, pair):
    decide(binding, pair.source_approver, words_compared=True)
    post(client, peer.decide(binding))

    assert post(client, peer.decide(binding, MessageType.DELETE)).json()["outcome"] == "accepted"
    assert fresh(binding.connection).get_state_display() == "Disconnected"


def test_connect_with_a_file_of_a_deleted_record_says_so(client, letter, source):
    source.delete()

    response = post(client, letter)

    assert (response.status_code, response.json()["code"]) == (200, Refusal.FILE_UNKNOWN)


def test_peer_that_cannot_be_called_back_is_refused_in_words(client, pair, source):
    peer = RemotePeer(vault_id=77, peering_url="http://10.0.0.1/v/77/peering/")

    answer = post(client, peer.connect(pair.file(connection=source))).json()

    assert (answer["outcome"], answer["code"]) == ("refused", Refusal.ADDRESS)
    assert not Binding.objects.exists()


def test_installation_whose_certificate_we_know_cannot_come_with_another(client, pair, peer):
    record = pair.source_record(remote_vault_id=peer.vault_id)
    assert post(client, peer.connect(pair.file(connection=record))).status_code == 200
    thief = RemotePeer(peer.vault_id, peer.installation_id, key=key_of_another_installation(1))

    response = post(client, thief.connect(pair.file()))

    assert response.status_code == 401
    assert Binding.objects.count() == 1


def test_second_vault_of_a_known_installation_connects_with_the_known_certificate(client, pair, peer):
    first = pair.source_record(remote_vault_id=peer.vault_id)
    post(client, peer.connect(pair.file(connection=first)))
    sister = RemotePeer(peer.vault_id + 1, peer.installation_id)

    assert post(client, sister.connect(pair.file())).json()["outcome"] == "accepted"


@pytest.mark.parametrize("minutes", [-20, -6, 6, 20])
def test_message_of_a_wrong_clock_is_put_off_and_our_operator_told(client, peer, binding, minutes, pair, goal):
    letter = peer.decide(binding)
    letter.sent_at += timedelta(minutes=minutes)

    responses = [post(client, letter) for _ in range(3)]

    assert {response.status_code for response in responses} == {403}
    assert {response.json()["code"] for response in responses} == {Refusal.CLOCK}
    told = AuditEvent.objects.get(event="peering.clock_refused")
    assert told.chain == pair.source.pk
    assert f"{abs(minutes)} minutes {'ahead of' if minutes > 0 else 'behind'} ours" in told.reason
    measured = PeerClock.objects.get(pk=peer.installation_id).offset_seconds
    put_off = fresh(binding).remote_verdict == "" and abs(measured - minutes * 60) <= 2
    goal("B8").reached(figure={"measured": measured}, target={"measured": minutes * 60}, ok=put_off)


def test_message_put_off_by_the_clock_is_taken_after_correction(client, peer, binding):
    letter = peer.decide(binding)
    right = letter.sent_at
    letter.sent_at += timedelta(minutes=20)
    post(client, letter)
    letter.sent_at = right

    assert post(client, letter).json()["outcome"] == "accepted"


@pytest.mark.parametrize("minutes", [-4, 4])
def test_message_of_a_clock_within_tolerance_is_taken(client, peer, binding, minutes):
    letter = peer.decide(binding)
    letter.sent_at += timedelta(minutes=minutes)

    assert post(client, letter).json()["outcome"] == "accepted"


def test_old_message_that_comes_again_says_nothing_about_the_clock(client, peer, binding, monkeypatch):
    letter = peer.decide(binding)
    post(client, letter)
    raw, headers = letter.raw(), letter.headers()
    later = clock.now() + timedelta(days=20)
    monkeypatch.setattr(clock, "now", lambda: later)
    response = post(client, letter, raw=raw, headers=headers)

    assert response.json()["code"] == Refusal.CLOCK
    assert abs(PeerClock.objects.get(pk=peer.installation_id).offset_seconds) <= 2


def test_message_for_another_installation_is_forbidden_after_the_signature(client, peer, binding):
    letter = peer.decide(binding)
    letter.to = Party(uuid4(), letter.to.vault_id)

    response = post(client, letter)

    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"
    assert fresh(binding).remote_verdict == ""


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_posts_are_taken(client, pair, method):
    response = client.generic(method, f"/v/{pair.source.pk}/peering/connect")

    assert (response.status_code, response["Allow"]) == (405, "POST")


def test_body_over_the_size_is_not_read(client, letter):
    response = post(client, letter, raw=b"x" * 65_537, headers={})

    assert response.status_code == 413
    assert not refusals().exists()


def test_store_that_is_down_asks_for_another_try(client, letter, monkeypatch):
    def fails(*args, **kwargs):
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(receiving, "receive", fails)
    response = post(client, letter)

    assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert json.loads(response.content)["status"] == 503


def test_message_in_the_name_of_this_installation_is_not_believed(client, pair, peer, source):
    peer.installation_id = Installation.current().pk

    assert post(client, peer.connect(pair.file(connection=source))).status_code == 401
    assert "this very installation" in refusals().get().reason


def test_message_for_a_vault_we_do_not_have_leaves_its_event_with_the_installation(client, letter):
    letter.to = Party(letter.to.installation_id, 987_654)

    assert post(client, letter).status_code == 401
    assert refusals().get().chain == 0


def test_answers_carry_the_headers_of_every_answer(client, letter):
    response = post(client, letter)

    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"


def test_status_page_tells_whose_clock_is_off(client, peer, binding, pair):
    letter = peer.decide(binding)
    letter.sent_at += timedelta(minutes=20)
    post(client, letter)

    [line] = of_peers(pair.source)
    assert (line.name, line.offset, line.is_right) == ("other.example.com", "20 minutes ahead of ours", False)
    page = sign_in(make_member(pair.source, Permission.ADMIN_STATUS)).get(f"/v/{pair.source.pk}/admin/status/")
    assert "20 minutes ahead of ours" in page.content.decode()
    assert of_peers(pair.target) == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "the same as"), (1, "1 second ahead of"), (-90, "90 seconds behind"), (3600, "60 minutes ahead of")],
)
def test_clock_offset_is_told_in_words(seconds, words):
    assert describe(timedelta(seconds=seconds)) == f"{words} ours"
