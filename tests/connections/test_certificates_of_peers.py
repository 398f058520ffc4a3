from uuid import uuid4

import pytest

from connections import signed_json
from connections.models import (
    Binding,
    CertificateAnnouncement,
    OutgoingPeerMessage,
    PeerCertificate,
    SigningCertificate,
)
from connections.peering import protocol
from connections.peering.messages import CertificateNotice, Decision, MessageType, Refusal
from connections.services.handshake import delivering, exchange, learning, parties, pinning, receiving
from connections.services.signing import certificates, renewing
from tests.connections import rollovers
from tests.connections.handshake import decide, fresh, other_side, states, upload
from tests.connections.rollovers import at, certificate, days, established, signs_with, stages, tick
from tests.factories.connections import make_certificate, shared_key
from tests.fakes import carriers
from vaultadmin import audit, clock

pytestmark = pytest.mark.django_db
BY = audit.System("Test")


@pytest.fixture(autouse=True)
def shared_keys(monkeypatch):
    rollovers.use_shared_keys(monkeypatch)


@pytest.fixture
def carrier(monkeypatch):
    return carriers.use(monkeypatch, carriers.UnreliableCarrier())


@pytest.fixture
def ends(certificate):
    return certificate.not_after


def pins(binding, moment):
    return sorted(pinning.pinned_certificates(fresh(binding), now=moment))


def signed_with(carried):
    return [protocol.read_message(raw).certificate_id for raw, _to in carried]


def test_two_vaults_follow_a_whole_rollover(pair, ends, carrier):
    source, target = established(pair)
    here, there = Binding.objects.get(connection=source), Binding.objects.get(connection=target)
    seen = []
    for before in (91, 90, 61, 31, 1):
        tick(ends - days(before))
        seen.append((pins(here, ends - days(before)), pins(there, ends - days(before))))

    both, new = ["00001", "00002"], ["00002"]
    assert seen == [(["00001"], ["00001"]), (both, both), (both, both), (both, both), (new, new)]
    assert states(source, target) == ["Active", "Active"]
    assert not OutgoingPeerMessage.objects.filter(settled_at=None).exists()


def test_rollovers_one_after_the_other_leave_only_the_newest_pinned(pair, ends, carrier):
    source, _target = established(pair)
    moment = ends - days(100)
    for _ in range(80):
        moment += days(30)
        tick(moment)

    newest = signs_with(source)
    assert newest >= "00003"
    with at(moment):
        assert newest in pins(Binding.objects.get(connection=source), moment)
        assert "00001" not in pins(Binding.objects.get(connection=source), moment)


def test_what_the_peer_announced_is_in_the_audit_trail(pair, ends, carrier):
    source, target = established(pair)
    for before in (90, 61, 31, 1):
        tick(ends - days(before))

    for record in (source, target):
        told, added, retired = (
            audit.history(record).filter(event=f"connection.{event}")
            for event in ("certificate_announced", "peer_certificate_added", "peer_certificate_retired")
        )
        assert (told.count(), added.count(), retired.count()) == (2, 1, 1)
        assert added.get().changes["Fingerprint"] == [None, certificate("00002").fingerprint]


def test_announcement_is_repeated_until_it_is_answered_and_has_one_effect(pair, ends, carrier):
    _source, target = established(pair)
    carrier.fault = carriers.LOSE_ANSWER
    moment = ends - days(90)
    for minute in range(4):
        tick(moment + days(minute))
    assert CertificateAnnouncement.objects.filter(accepted=None).count() == 2

    carrier.fault = carriers.PERFECT
    tick(moment + days(5))

    assert CertificateAnnouncement.objects.filter(accepted=True).count() == 2
    assert PeerCertificate.objects.count() == 2
    assert audit.history(target).filter(event="connection.peer_certificate_added").count() == 1


def test_peer_away_for_the_whole_rollover_catches_up_by_the_key_it_knows(pair, ends, carrier):
    source, target = established(pair)
    carrier.fault = carriers.LOSE_MESSAGE
    for before in (90, 61, 31, 1):
        tick(ends - days(before))
    assert stages() == {"00001": "retired", "00002": "active"}
    assert certificate("00001").private_key_id is not None
    carrier.carried.clear()
    carrier.fault = carriers.PERFECT

    tick(ends - days(0.5))

    assert signed_with(carrier.carried)[0] == "00001"
    assert signed_with(carrier.carried)[-1] == "00002"
    for record in (source, target):
        assert pins(Binding.objects.get(connection=record), ends - days(0.4)) == ["00002"]
    tick(ends - days(0.4))
    assert certificate("00001").private_key_id is None


def test_vaults_of_one_installation_find_each_other_again_after_the_old_certificate_ended(pair, ends, carrier):
    source, _target = established(pair)
    carrier.fault = carriers.LOSE_MESSAGE
    for before in (90, 61, 31, 1):
        tick(ends - days(before))
    carrier.fault = carriers.PERFECT

    tick(ends + days(1))

    assert pins(Binding.objects.get(connection=source), ends + days(1)) == ["00002"]
    assert set(CertificateAnnouncement.objects.values_list("accepted", flat=True)) == {True}


def test_other_installation_away_past_the_end_of_the_old_certificate_must_be_connected_anew(pair, ends, carrier):
    source, _target = established(pair)
    Binding.objects.filter(connection=source).update(peer_installation_id=uuid4())

    assert pins(Binding.objects.get(connection=source), ends - days(1)) == ["00001"]
    assert pins(Binding.objects.get(connection=source), ends) == []


def test_approval_under_way_at_the_release_is_signed_with_what_the_peer_knows(pair, ends, carrier):
    with at(ends - days(32)):
        binding = upload(pair.file(), pair.target_admin)
    tick(ends - days(31))
    assert signs_with(binding.connection) == "00002"
    carrier.carried.clear()

    with at(ends - days(31) + days(0.1)) as moment:
        decide(fresh(binding), pair.target_approver)
        decide(other_side(binding), pair.source_approver)
        delivering.deliver_due(now=moment)

    assert set(signed_with(carrier.carried)) == {"00001"}
    assert states(binding.connection, other_side(binding).connection) == ["Active", "Active"]
    tick(ends - days(30))
    assert pins(binding, ends - days(30)) == ["00001", "00002"]


def test_file_given_out_before_the_release_still_connects_after_it(pair, ends, carrier):
    with at(ends - days(31.5)):
        source = pair.source_record(remote_vault_id=pair.target.pk)
        raw = pair.file(connection=source)
    tick(ends - days(31))

    with at(ends - days(30.5)):
        binding = upload(raw, pair.target_admin)

    assert states(source, binding.connection) == ["Active", "Active"]
    tick(ends - days(30))
    assert pins(binding, ends - days(30)) == ["00001", "00002"]


def test_request_whose_connect_was_lost_goes_on_after_the_release(pair, ends, carrier):
    with at(ends - days(32)):
        carrier.fault = carriers.LOSE_MESSAGE
        binding = upload(pair.file(named=True), pair.target_admin)
    carrier.fault = carriers.PERFECT

    tick(ends - days(31))

    assert states(binding.connection) == ["Active"]


def test_message_is_signed_with_the_certificate_chosen_last_also_when_it_is_tried_again(pair, ends, carrier):
    with at(ends - days(91)):
        binding = upload(pair.file(), pair.target_admin)
        decide(fresh(binding), pair.target_approver)
        decide(other_side(binding), pair.source_approver)
        delivering.deliver_due(now=clock.now())
    for before in (90, 61, 31):
        tick(ends - days(before))
    carrier.carried.clear()
    carrier.fault = carriers.LOSE_MESSAGE
    with at(ends - days(30)) as moment:
        connection = fresh(binding).connection
        exchange.post(
            fresh(binding),
            MessageType.APPROVE,
            Decision(binding.exchange, "Somebody", moment, ""),
            now=moment,
        )
        delivering.deliver_due(now=moment)
        connection.signing_certificate = certificate("00001")
        connection.save()
        delivering.deliver_due(now=moment + days(0.1))

    assert signed_with(carrier.carried) == ["00002", "00001"]


def notice(binding, **changes):
    """What the peer of `binding` would say about certificate 00002, with some parts replaced."""
    new = certificate("00002")
    values = {
        "exchange": binding.exchange,
        "certificate_id": "00002",
        "certificate_pem": new.pem,
        "in_use_from": clock.now(),
        "retired_id": "",
    } | changes
    return CertificateNotice(**values)


def deliver(binding, body, *, key=None, certificate_id="00001", sender=None):
    raw = protocol.write_message(
        MessageType.CERTIFICATE,
        uuid4(),
        protocol.write_body(body),
        sender=sender or binding.peer,
        recipient=parties.party(binding.connection.vault),
        certificate_id=certificate_id,
        sent_at=clock.now(),
        key=key or shared_key(),
    )
    answer = receiving.receive(raw, vault_id=binding.connection.vault_id, now=clock.now())
    pinned = {row.certificate_id: row.pem for row in certificates.SigningCertificate.objects.all()}
    return protocol.read_answer(answer, pinned=pinned)


@pytest.fixture
def binding(pair, carrier):
    source, _target = established(pair)
    make_certificate(number=2, stage="published")
    return Binding.objects.get(connection=source)


def test_announcement_signed_with_a_pinned_certificate_is_believed(binding):
    assert deliver(binding, notice(binding)).code == Refusal.NONE
    assert pins(binding, clock.now()) == ["00001", "00002"]


def test_announcement_signed_with_the_certificate_it_brings_is_refused(binding):
    answer = deliver(binding, notice(binding), key=shared_key(2), certificate_id="00002")

    assert answer.code == Refusal.UNTRUSTED
    assert not PeerCertificate.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"certificate_id": "00003"},
        {"certificate_id": "2"},
        {"certificate_id": "0000\u0662"},
        {"certificate_pem": "no certificate"},
        {"certificate_id": "00001"},
        {"retired_id": "00002"},
    ],
)
def test_announcement_that_is_not_ours_to_make_is_refused(binding, changes):
    assert deliver(binding, notice(binding, **changes)).code == Refusal.UNTRUSTED
    assert not PeerCertificate.objects.exists()


def test_certificate_that_has_ended_is_not_pinned(binding):
    new = certificate("00002")
    with at(new.not_after):
        refusal = learning.learn(binding, notice(binding), now=clock.now())

    assert refusal == Refusal.UNTRUSTED


def test_retired_certificate_is_not_believed_again(binding):
    deliver(binding, notice(binding))
    deliver(binding, notice(binding, retired_id="00001"), key=shared_key(2), certificate_id="00002")
    assert pins(binding, clock.now()) == ["00002"]

    assert deliver(binding, notice(binding)).code == Refusal.UNTRUSTED
    back = notice(binding, certificate_id="00001", certificate_pem=certificate("00001").pem)
    assert deliver(binding, back, key=shared_key(2), certificate_id="00002").code == Refusal.UNTRUSTED


def test_peer_that_announces_without_end_is_stopped(binding, monkeypatch):
    monkeypatch.setattr(learning, "MOST_PINNED", 1)
    assert deliver(binding, notice(binding)).code == Refusal.NONE
    SigningCertificate.objects.filter(certificate_id="00002").update(stage="rollover")
    monkeypatch.setattr(certificates, "is_ours", lambda certificate_id, pem: True)
    third = signed_json.certificate_pem(certificates._self_signed(shared_key(2), "Third", clock.now()))

    answer = deliver(binding, notice(binding, certificate_id="00003", certificate_pem=third))

    assert answer.code == Refusal.UNTRUSTED
    assert PeerCertificate.objects.count() == 1


def test_announcement_for_an_ended_binding_is_refused(binding, pair):
    Binding.objects.filter(pk=binding.pk).update(state="ended", ended_at=clock.now())

    assert deliver(binding, notice(binding)).code == Refusal.EXCHANGE_UNKNOWN


def test_compromised_key_is_dropped_by_peers_at_once(pair, carrier):
    source, target = established(pair)
    moment = clock.now()

    renewing.replace_compromised(by=BY, now=moment)
    renewing.settle(by=BY, now=moment)
    delivering.deliver_due(now=moment)
    tick(moment + days(0.01))

    for record in (source, target):
        assert pins(Binding.objects.get(connection=record), moment + days(0.01)) == ["00002"]
        assert signs_with(record) == "00002"


def test_binding_that_needs_no_new_certificate_is_told_nothing(pair, ends, carrier):
    tick(ends - days(1))
    with at(ends - days(0.9)):
        established(pair)

    tick(ends - days(0.8))

    assert not CertificateAnnouncement.objects.exists()


@pytest.mark.evidence
def test_both_certificates_count_inside_the_window_and_one_after_it(pair, ends, carrier, goal):
    source, _target = established(pair)
    here = Binding.objects.get(connection=source)
    keys = {"00001": shared_key(), "00002": shared_key(2)}
    seen = []
    for before in (90, 61, 31, 1):
        tick(ends - days(before))
        with at(ends - days(before - 0.5)):
            old = notice(here, certificate_id="00001", certificate_pem=certificate("00001").pem)
            for number, key in keys.items():
                body = old if number == "00001" else notice(here)
                seen.append((before, number, deliver(here, body, key=key, certificate_id=number).code == Refusal.NONE))

    wanted = [(before, number, before != 1 or number == "00002") for before in (90, 61, 31, 1) for number in keys]
    goal("D4").reached(figure=seen, target=wanted, ok=seen == wanted)
