import json
from datetime import timedelta
from uuid import uuid4

import pytest

from connections.constants import BindingState
from connections.models import Binding, Connection, OutgoingPeerMessage, PeerClock
from connections.peering import carriers, local, protocol, remote
from connections.peering.errors import CarrierError
from connections.peering.messages import Decision, Party, View
from connections.peering.protocol import read_message, write_answer
from connections.services.handshake import delivering, parties
from connections.services.handshake.establishing import FileRefused
from connections.signed_json import certificate_pem, read_certificate
from connections.spark.signing import Signer
from connections.spark.verifying import read_request
from tests.connections.handshake import fresh, upload
from tests.connections.remote_peer import RemotePeer, certificate_for, key_of_another_installation
from vaultadmin import clock, outbound
from vaultadmin.models import Installation
from vaultadmin.outbound import Answer, ErrorKind

pytestmark = pytest.mark.django_db


class Network:
    """The outbound door with a peer behind it: keeps what was sent, and answers as it is told."""

    def __init__(self, peer):
        self.peer, self.sent = peer, []
        self.status, self.changes, self.answer = 200, {}, None

    def send(self, method, url, *, body, headers, deadline):
        self.sent.append((method, url, body, headers, deadline))
        if self.answer is not None:
            return self.answer
        return Answer(status=self.status, headers={"content-type": "application/json"}, body=self.reply(body))

    def reply(self, body):
        values = {
            "outcome": "accepted",
            "view": View(BindingState.APPROVING),
            "certificate_id": self.peer.certificate_id,
            "sent_at": clock.now(),
            "key": self.peer.key,
        }
        return write_answer(read_message(body), **values | self.changes)


@pytest.fixture
def peer(pair):
    return RemotePeer(vault_id=pair.target.pk)


@pytest.fixture
def network(peer, monkeypatch):
    network = Network(peer)
    monkeypatch.setattr(outbound, "send", network.send)
    return network


def uploaded(peer, pair, **file):
    return upload(peer.write(peer.file(**file)), pair.target_admin)


def waiting():
    return OutgoingPeerMessage.objects.get(settled_at=None)


def test_carrier_is_chosen_by_the_installation_and_not_by_the_number(pair):
    assert carriers.carrier_for(Party(Installation.current().pk, 1)) is local
    assert carriers.carrier_for(Party(uuid4(), pair.source.pk)) is remote


def test_message_goes_to_the_address_of_the_file_in_a_signed_envelope(peer, pair, network):
    binding = uploaded(peer, pair)

    [(method, url, body, headers, deadline)] = network.sent
    certificate = binding.connection.signing_certificate
    request = read_request(headers.items(), urls=[f"{peer.peering_url}connect"])
    request.verify(body, read_certificate(certificate.pem).public_key())
    request.check_time(clock.now())
    message = read_message(body)
    assert (method, url, deadline) == ("POST", request.url, remote.DEADLINE_SECONDS)
    assert (request.request_type, request.request_id) == ("vault_peering", str(message.message_id))
    assert (request.vault_id, request.certificate_id) == (pair.target.pk, certificate.certificate_id)
    assert (message.recipient, message.sender.vault_id) == (peer.party, pair.target.pk)
    assert headers["Content-Type"] == "application/json"


def test_answer_of_the_peer_starts_the_approval(peer, pair, network):
    binding = uploaded(peer, pair)

    assert fresh(binding).state == BindingState.APPROVING
    assert not OutgoingPeerMessage.objects.filter(settled_at=None).exists()


def test_file_that_names_this_vault_establishes_over_the_network(peer, pair, network):
    network.changes = {"view": View(BindingState.IN_FORCE)}

    binding = uploaded(peer, pair, remote_vault_id=pair.target.pk)

    assert fresh(binding.connection).get_state_display() == "Active"


def test_vault_with_our_own_number_in_another_installation_is_another_vault(pair, network):
    peer = network.peer = RemotePeer(vault_id=pair.target.pk)

    assert uploaded(peer, pair).peer == peer.party


def test_refusal_of_the_peer_is_told_at_once(peer, pair, network):
    network.changes = {"outcome": "refused", "code": "file_expired", "view": None}

    with pytest.raises(FileRefused, match="has expired"):
        uploaded(peer, pair)

    assert not Connection.objects.exists()


def answered(status, body=b"{}", kind=None, **headers):
    return Answer(status=status, headers={"content-type": "application/json"} | headers, body=body, kind=kind)


PROBLEM = {"content-type": "application/problem+json"}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (answered(401, **PROBLEM), "did not recognise the message as ours"),
        (answered(403, **PROBLEM), "HTTP status 403"),
        (answered(404), "HTTP status 404"),
        (answered(413), "HTTP status 413"),
        (answered(500), "HTTP status 500"),
        (answered(502, b"<html>", **{"content-type": "text/html"}), "HTTP status 502"),
        (answered(503), "cannot take messages at the moment"),
        (answered(204), "HTTP status 204"),
        (answered(200, b"<html>", **{"content-type": "text/html"}), "HTTP status 200"),
        (Answer(error="The server x did not answer in time.", kind=ErrorKind.TIMEOUT, reached=True), "in time"),
        (Answer(error="The certificate of x is not accepted.", kind=ErrorKind.TLS), "not accepted"),
        (Answer(status=302, error="Redirects are not followed.", kind=ErrorKind.REDIRECT), "not followed"),
        (answered(200, b""), "JSON"),
        (answered(200, b'{"outcome":"accepted"}'), "is missing"),
        (answered(200, b"x" * 65_537, kind=None), "HTTP status 200"),
    ],
)
def test_whatever_is_no_answer_leaves_the_message_due(peer, pair, network, answer, sentence):
    network.answer = answer

    binding = uploaded(peer, pair)

    assert binding.state == BindingState.PROPOSED
    assert sentence in waiting().last_error
    network.answer = None
    delivering.deliver_due(now=waiting().due_at)
    assert fresh(binding).state == BindingState.APPROVING


@pytest.mark.parametrize(
    "changes",
    [
        {"key": key_of_another_installation(1)},
        {"certificate_id": "00002"},
    ],
)
def test_answer_that_is_not_signed_with_the_pinned_certificate_is_not_believed(peer, pair, network, changes):
    network.changes = changes

    assert uploaded(peer, pair).state == BindingState.PROPOSED


def test_same_message_id_is_kept_over_all_tries_and_the_envelope_is_new(peer, pair, network):
    network.answer = answered(503)
    uploaded(peer, pair)
    delivering.deliver_due(now=waiting().due_at)

    first, second = (headers for _, _, _, headers, _ in network.sent)
    same = "X-VaultAPISignature-RequestId"
    assert first[same] == second[same]
    assert first["X-VaultAPISignature-ExecutionId"] != second["X-VaultAPISignature-ExecutionId"]


@pytest.mark.parametrize(
    ("asked", "at_least", "at_most"),
    [("120", 120, 120), ("0", 4, 7), ("86400", 3600, 3600), ("soon", 4, 7), ("-5", 4, 7), ("9" * 40, 4, 7)],
)
def test_peer_that_asks_to_wait_only_delays(peer, pair, network, asked, at_least, at_most):
    network.answer = answered(503, **{"retry-after": asked})
    before = clock.now()
    uploaded(peer, pair)

    wait = (waiting().due_at - before).total_seconds()

    assert at_least <= wait <= at_most + 2


def test_silent_host_is_waited_for_once_a_drain(peer, pair, network):
    network.answer = Answer(error="The server x did not answer in time.", kind=ErrorKind.TIMEOUT)
    for record in range(4):
        uploaded(peer, pair, record=record)
    network.sent.clear()
    due = max(OutgoingPeerMessage.objects.values_list("due_at", flat=True))

    assert delivering.deliver_due(now=due) == 4

    assert len(network.sent) == 1
    rows = OutgoingPeerMessage.objects.filter(settled_at=None)
    assert {(row.attempts, row.last_error, row.due_at > due) for row in rows} == {
        (2, "The server x did not answer in time.", True)
    }


def test_host_that_refuses_one_message_still_hears_the_others(peer, pair, network):
    network.answer = answered(401, **PROBLEM)
    for record in range(3):
        uploaded(peer, pair, record=record)
    network.sent.clear()
    due = max(OutgoingPeerMessage.objects.values_list("due_at", flat=True))

    delivering.deliver_due(now=due)

    assert len(network.sent) == 3


def test_clock_of_the_peer_is_known_from_its_answers(peer, pair, network):
    network.changes = {"sent_at": clock.now() - timedelta(minutes=3)}

    uploaded(peer, pair)

    assert abs(PeerClock.objects.get(pk=peer.installation_id).offset_seconds + 180) <= 2


def test_message_the_peer_puts_off_because_of_the_clocks_says_so(peer, pair, network):
    network.status = 403
    network.changes = {"outcome": "later", "code": "clock", "view": None}

    binding = uploaded(peer, pair)

    assert binding.state == BindingState.PROPOSED
    assert "clocks" in waiting().last_error


@pytest.mark.parametrize(
    "address", ["http://other.example.com/", "https://10.0.0.1/", "https://other.example.com/x?y="]
)
def test_address_that_must_not_be_called_is_not_called(peer, pair, network, now, address):
    binding = uploaded(peer, pair)
    Binding.objects.filter(pk=binding.pk).update(peer_url=address)
    network.sent.clear()

    raw = network_message(binding, pair, now)
    with pytest.raises(CarrierError, match="cannot be called"):
        remote.deliver(raw, to=peer.party, url=address, signer=Signer("00001", peer.key), now=now)

    assert network.sent == []


def network_message(binding, pair, now):
    body = protocol.write_body(Decision(binding.exchange, "Somebody", now, ""))
    return protocol.write_message(
        "approve",
        uuid4(),
        body,
        sender=parties.party(pair.target),
        recipient=binding.peer,
        certificate_id="00001",
        sent_at=now,
        key=key_of_another_installation(),
    )


def test_known_installation_with_another_certificate_is_refused_at_upload(peer, pair, network):
    network.changes = {"view": View(BindingState.IN_FORCE)}
    uploaded(peer, pair, remote_vault_id=pair.target.pk)
    thief = RemotePeer(peer.vault_id, peer.installation_id, key=key_of_another_installation(1))
    network.sent.clear()

    with pytest.raises(FileRefused, match="not signed with the key"):
        uploaded(thief, pair, remote_vault_id=pair.target.pk)

    assert network.sent == []


def test_file_in_the_name_of_this_installation_needs_a_certificate_of_ours(pair, network):
    thief = RemotePeer(pair.source.pk, Installation.current().pk)

    with pytest.raises(FileRefused, match="not signed with the key"):
        uploaded(thief, pair)

    assert network.sent == []


def test_pinned_certificate_is_that_of_the_file(peer, pair, network):
    binding = uploaded(peer, pair)

    assert binding.peer_certificate_pem == certificate_for(peer.key)
    assert certificate_pem(read_certificate(binding.peer_certificate_pem)) == binding.peer_certificate_pem
    assert json.loads(network.sent[0][2])["sender"]["vault_id"] == pair.target.pk
