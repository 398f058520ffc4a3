import json
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from connections import signed_json
from connections.constants import BindingState
from connections.models import Binding, Connection, IncomingPeerMessage, OutgoingPeerMessage
from connections.peering import protocol
from connections.peering.messages import Decision, MessageType, Outcome, Party, Refusal
from connections.peering.protocol import ProtocolError
from connections.services.handshake import parties, receiving, withdrawing
from connections.services.signing import certificates
from tests.connections.handshake import decide, fresh, other_side, settle, states, upload
from tests.factories.connections import shared_key
from tests.factories.people import make_vault
from tests.fakes import carriers
from vaultadmin import clock
from vaultadmin.models import Installation

pytestmark = pytest.mark.django_db


@pytest.fixture
def carrier(monkeypatch):
    return carriers.use(monkeypatch, carriers.UnreliableCarrier())


@pytest.fixture
def running(pair, carrier):
    return upload(pair.file(), pair.target_admin)


def deliver(raw, vault, now=None):
    answer = receiving.receive(raw, vault_id=vault.pk, now=now or clock.now())
    return json.loads(answer)


def decision(binding, type_=MessageType.APPROVE, *, key=None, sent_at=None, **changes):
    """A message as the peer of `binding` would send it, with some parts replaced."""
    peer_side = other_side(binding)
    values = {
        "message_id": uuid4(),
        "sender": binding.peer,
        "recipient": parties.party(binding.connection.vault),
        "certificate_id": binding.peer_certificate_id,
    } | changes
    body = protocol.write_body(Decision(peer_side.exchange, "Somebody", clock.now(), ""))
    return protocol.write_message(
        type_, values.pop("message_id"), body, sent_at=sent_at or clock.now(), key=key or shared_key(), **values
    )


def test_replayed_connect_has_one_effect_and_the_same_outcome(pair, running, carrier):
    raw, to = carrier.carried[0]

    answers = [deliver(raw, pair.source) for _ in range(20)]

    assert {answer["outcome"] for answer in answers} == {Outcome.ACCEPTED}
    assert Binding.objects.count() == 2
    assert to.vault_id == pair.source.pk


def test_replay_in_the_name_of_an_old_message_with_another_body_is_refused(pair, running, carrier):
    raw, _ = carrier.carried[0]
    message = protocol.read_message(raw)
    body = message.document["body"] | {"connection_id": "V17000000099999"}
    forged = protocol.write_message(
        message.type,
        message.message_id,
        body,
        sender=message.sender,
        recipient=message.recipient,
        certificate_id=message.certificate_id,
        sent_at=clock.now(),
        key=shared_key(),
    )

    assert deliver(forged, pair.source)["code"] == Refusal.UNTRUSTED


def test_approval_signed_with_another_key_is_refused(pair, running):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    answer = deliver(decision(running, key=stranger), pair.target)

    assert answer["outcome"] == Outcome.REFUSED
    assert fresh(running).remote_verdict == ""
    assert not IncomingPeerMessage.objects.filter(vault=pair.target).exists()


def test_approval_with_one_byte_changed_is_refused(pair, running):
    raw = decision(running).replace(b"Somebody", b"Somebodz")

    assert deliver(raw, pair.target)["code"] == Refusal.UNTRUSTED


@pytest.mark.parametrize("change", ["sender_vault", "sender_installation", "certificate"])
def test_approval_from_somebody_else_is_refused(pair, running, change):
    changes = {
        "sender_vault": {"sender": Party(running.peer_installation_id, 4711)},
        "sender_installation": {"sender": Party(uuid4(), running.peer_vault_id)},
        "certificate": {"certificate_id": "00002"},
    }[change]

    answer = deliver(decision(running, **changes), pair.target)

    assert answer["outcome"] == Outcome.REFUSED
    assert fresh(running).remote_verdict == ""


@pytest.mark.parametrize("change", ["other_vault", "other_installation"])
def test_message_for_somebody_else_is_refused(pair, running, change):
    vault = make_vault()
    recipient = {
        "other_vault": Party(Installation.current().pk, vault.pk),
        "other_installation": Party(uuid4(), pair.target.pk),
    }[change]

    assert deliver(decision(running, recipient=recipient), pair.target)["outcome"] == Outcome.REFUSED


def test_message_of_a_wrong_clock_is_put_off(pair, running):
    answer = deliver(decision(running, sent_at=clock.now() - timedelta(minutes=6)), pair.target)

    assert (answer["outcome"], answer["code"]) == (Outcome.LATER, Refusal.CLOCK)
    assert deliver(decision(running, sent_at=clock.now() - timedelta(minutes=4)), pair.target)["outcome"] == "accepted"


def test_message_for_a_vault_that_is_gone_is_refused(pair, running, now):
    answer = receiving.receive(decision(running), vault_id=987654, now=now)

    assert json.loads(answer)["outcome"] == Outcome.REFUSED


def test_message_of_an_unknown_exchange_is_refused(pair, running):
    raw = decision(running)
    message = protocol.read_message(raw)
    body = message.document["body"] | {"exchange": str(uuid4())}
    unknown = protocol.write_message(
        "approve",
        uuid4(),
        body,
        sender=message.sender,
        recipient=message.recipient,
        certificate_id=message.certificate_id,
        sent_at=clock.now(),
        key=shared_key(),
    )

    assert deliver(unknown, pair.target)["code"] == Refusal.EXCHANGE_UNKNOWN


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff", b'{"protocol":"vault-peering"}', b"x" * 70_000])
def test_bytes_that_are_no_message_are_refused(pair, raw, now):
    with pytest.raises(ProtocolError):
        receiving.receive(raw, vault_id=pair.source.pk, now=now)


@pytest.mark.evidence
def test_every_flipped_byte_of_a_message_is_harmless(pair, running, now, goal):
    raw = decision(running)
    step = goal("D1").count(small=23, full=1)
    let_in = 0

    for place in range(0, len(raw), step):
        flipped = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        try:
            let_in += deliver(flipped, pair.target)["outcome"] == Outcome.ACCEPTED
        except ProtocolError:
            continue

    goal("D1").reached(figure=let_in, target=0, ok=let_in == 0 and not fresh(running).remote_verdict)


def test_connect_of_another_installation_with_another_file_of_the_same_nonce_is_refused(pair, now):
    raw = pair.file(named=True)
    document = json.loads(raw)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = signed_json.certificate_pem(certificates._self_signed(stranger, "Evil", now))
    body = {
        "exchange": document["file_id"],
        "nonce": document["nonce"],
        "file_sha256": "0" * 64,
        "connection_id": "V17000000000001",
        "requested_by": "Eve",
        "vault": {
            "name": "E",
            "dns": "e.example",
            "domain": "",
            "application": "",
            "peering_url": "https://e.example/",
        },
        "certificate_pem": pem,
    }
    message = protocol.write_message(
        "connect",
        uuid4(),
        body,
        sender=Party(uuid4(), pair.target.pk),
        recipient=parties.party(pair.source),
        certificate_id="00001",
        sent_at=now,
        key=stranger,
    )

    assert deliver(message, pair.source)["code"] == Refusal.FILE_UNKNOWN
    assert not Binding.objects.exists()


def test_refused_connect_stays_refused_when_it_comes_again(pair, carrier, now):
    source = pair.source_record(remote_vault_id=pair.target.pk)
    raw = pair.file(connection=source)
    Connection.objects.filter(pk=source.pk).update(state="inactive_state__sys")
    with pytest.raises(Exception, match="not waiting"):
        upload(raw, pair.target_admin)
    Connection.objects.filter(pk=source.pk).update(state="pending_state__sys")

    message, _ = carrier.carried[0]

    assert deliver(message, pair.source)["outcome"] == Outcome.REFUSED
    assert not Binding.objects.exists()


def test_approval_heard_before_the_answer_means_the_file_was_taken(pair, carrier):
    carrier.fault = carriers.LOSE_ANSWER
    binding = upload(pair.file(), pair.target_admin)
    assert binding.state == BindingState.PROPOSED

    carrier.fault = carriers.PERFECT
    answer = deliver(decision(binding), pair.target)

    assert answer["outcome"] == Outcome.ACCEPTED
    assert fresh(binding).state == BindingState.APPROVING
    assert fresh(binding).remote_verdict == "approve"
    settle()
    assert fresh(binding).state == BindingState.APPROVING


def test_withdrawal_that_crosses_the_last_approval_ends_both(pair, running, carrier, now):
    there = other_side(running)
    decide(there, pair.source_approver)
    settle()
    decide(fresh(running), pair.target_approver)
    assert states(running.connection) == ["Active"]

    withdrawing.withdraw(binding=there, by=pair.source_admin, now=now)
    settle()

    assert states(running.connection, there.connection) == ["Disconnected", "Pending"]


def test_answer_to_a_lost_row_is_ignored(pair, running):
    decide(running, pair.target_approver)
    running.connection.delete()

    settle()

    assert not OutgoingPeerMessage.objects.filter(settled_at=None).exists()
