import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection as database

from connections.constants import BindingState, ConnectionState, Verdict
from connections.models import (
    Binding,
    CertificateAnnouncement,
    Connection,
    ConnectionAuthorization,
    IssuedFile,
    OutgoingPeerMessage,
)
from connections.peering.errors import CarrierError
from connections.services import deleting, switching
from connections.services.handshake import delivering, parting, withdrawing
from connections.services.refusals import Refused
from connections.services.signing import renewing
from tests.connections import rollovers
from tests.connections.handshake import decide, fresh, other_side, settle, states, upload
from tests.factories.connections import download, make_admin, make_approver, make_authorization, make_local
from tests.fakes import carriers
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Task

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts):
    """Run every act in a thread of its own, all starting together; what each raised or returned."""
    start = Barrier(len(acts))

    def run(act):
        start.wait(timeout=20)
        try:
            return act()
        except Refused as refusal:
            return refusal
        finally:
            database.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(run, act) for act in acts]]


def delete(connection, by):
    deleting.delete(connection=connection, by=by, now=clock.now())


def reset(connection, by):
    return parting.reset(connection=connection, by=by, now=clock.now())


def inactivate(connection, by):
    return switching.inactivate(connection=connection, by=by, now=clock.now())


def refusals(results):
    return [result for result in results if isinstance(result, Refused)]


def test_same_file_uploaded_six_times_at_once_has_one_effect(pair):
    raw = pair.file(named=True)

    results = at_once(*[lambda: upload(raw, pair.target_admin)] * 6)

    assert len(refusals(results)) == 5
    assert Connection.objects.filter(vault=pair.target).count() == 1


def test_same_creation_clicked_at_once_makes_one_record(pair):
    key = uuid4()

    results = at_once(*[lambda: make_local(pair.target_admin, api_name="one", creation_key=key)] * 4)

    assert len({result.pk for result in results}) == 1
    assert Connection.objects.count() == 1


def test_same_api_name_taken_at_once_goes_to_one(pair):
    results = at_once(*[lambda: make_local(pair.target_admin, api_name="one")] * 4)

    assert len(refusals(results)) == 3
    assert Connection.objects.count() == 1


def test_same_authorization_clicked_at_once_makes_one(pair):
    key = uuid4()

    at_once(*[lambda: make_authorization(pair.target_admin, creation_key=key)] * 4)

    assert ConnectionAuthorization.objects.count() == 1


def test_downloads_at_once_leave_one_file_out(pair):
    record = pair.source_record()

    at_once(*[lambda: download(record, pair.source_admin)] * 4)

    assert IssuedFile.objects.filter(used_at=None, revoked_at=None).count() == 1
    assert sorted(IssuedFile.objects.values_list("generation", flat=True)) == [1, 2, 3, 4]


def test_two_people_decide_one_task_at_once_and_one_verdict_counts(pair):
    binding = upload(pair.file(), pair.target_admin)
    second = make_approver(pair.target)

    results = at_once(lambda: decide(binding, pair.target_approver), lambda: decide(binding, second, Verdict.REJECT))
    settle()

    assert len(refusals(results)) == 1
    assert not Task.objects.open().filter(vault=pair.target).exists()


@pytest.mark.evidence
def test_due_messages_are_claimed_once_by_many_workers(pair, monkeypatch, goal):
    carrier = carriers.use(monkeypatch, carriers.UnreliableCarrier(fault=carriers.LOSE_MESSAGE))
    uploads = goal("C4").count(small=6, full=500)
    for _ in range(uploads):
        upload(pair.file(named=True), pair.target_admin)
    OutgoingPeerMessage.objects.update(due_at=clock.now())
    carrier.carried.clear()
    carrier.fault = carriers.PERFECT

    tried = at_once(*[lambda: delivering.deliver_due(now=clock.now())] * 4)

    doubled = len(carrier.carried) - len({raw for raw, _ in carrier.carried})
    goal("C4").reached(
        figure={"tried": sum(tried), "doubled": doubled},
        target={"tried": uploads, "doubled": 0},
        ok=sum(tried) == uploads == len(carrier.carried) and not doubled,
    )


@pytest.mark.evidence
def test_raced_verdicts_and_withdrawals_end_alike_on_both_sides(pair, goal):
    e5 = goal("E5")
    chance, rounds, bad = random.Random(5), e5.count(small=8, full=1000), []
    for number in range(rounds):
        source = pair.source_record()
        binding = upload(pair.file(connection=source), pair.target_admin)
        there = other_side(binding)
        acts = [
            lambda: decide(binding, pair.target_approver),  # noqa: B023
            lambda: decide(there, pair.source_approver),  # noqa: B023
            lambda: decide(there, pair.source_approver, Verdict.REJECT),  # noqa: B023
            lambda: withdrawing.withdraw(binding=binding, by=pair.target_admin, now=clock.now()),  # noqa: B023
            lambda: withdrawing.withdraw(binding=there, by=pair.source_admin, now=clock.now()),  # noqa: B023
        ]
        at_once(*chance.sample(acts, k=chance.randint(2, 4)))
        settle()
        ends = {*states(source, binding.connection)}
        alike = ends in ({"Active"}, {"Pending"}, {"Pending", "Approved"}, {"Pending", "Disconnected"})
        open_ones = Binding.objects.open().filter(exchange=binding.exchange).count()
        if not alike or open_ones not in (0, 2):
            bad.append((number, ends, open_ones))
    e5.reached(figure=bad, target=[], ok=not bad)


def test_many_workers_take_each_step_of_a_rollover_once(pair, monkeypatch):
    carriers.use(monkeypatch, carriers.UnreliableCarrier())
    rollovers.use_shared_keys(monkeypatch)
    source, _target = rollovers.established(pair)
    for _ in range(5):
        make_local(pair.source_admin)
    ends = rollovers.certificate("00001").not_after
    for before in (90, 61, 31, 1):
        moment = ends - rollovers.days(before)
        at_once(*[lambda: renewing.advance(now=moment)] * 4)  # noqa: B023
        delivering.deliver_due(now=clock.now())

    events = AuditEvent.objects.filter(event__startswith="certificate.").values_list("event", flat=True)
    assert sorted(events.exclude(actor="Set-up")) == [
        "certificate.alone",
        "certificate.issued",
        "certificate.released",
        "certificate.retired",
        "certificate.test_begun",
    ]
    assert AuditEvent.objects.filter(event="connection.certificate_moved").count() == 7
    assert CertificateAnnouncement.objects.filter(retires=None).count() == 2
    assert rollovers.signs_with(source) == "00002"


def test_carrier_that_fails_in_one_thread_leaves_the_other_alone(pair, monkeypatch):
    carrier = carriers.use(monkeypatch, carriers.UnreliableCarrier())
    chance = random.Random(7)
    deliver = carrier.deliver

    def sometimes(raw, **rest):
        if chance.random() < 0.5:
            raise CarrierError("Lost on the way.")
        return deliver(raw, **rest)

    monkeypatch.setattr(carrier, "deliver", sometimes)
    files = [pair.file(named=True) for _ in range(4)]

    at_once(*[lambda raw=raw: upload(raw, pair.target_admin) for raw in files])
    settle(rounds=50)

    assert Binding.objects.filter(state=BindingState.IN_FORCE).count() == 8


def established(pair):
    source = pair.source_record(remote_vault_id=pair.target.pk)
    return source, upload(pair.file(connection=source), pair.target_admin).connection


def agree(*records):
    """Nothing waits, every record fits its binding, and what is in force is in force on both sides or was reset."""
    for record in Connection.objects.filter(pk__in=[record.pk for record in records]):
        in_force = record.bindings.in_force().first()
        active = record.state in (ConnectionState.ACTIVE, ConnectionState.INACTIVE)
        if active != (in_force is not None):
            return False
        other = in_force and Binding.objects.exclude(pk=in_force.pk).filter(exchange=in_force.exchange).first()
        if in_force and (other is None or (other.state != BindingState.IN_FORCE and other.end_reason != parting.RESET)):
            return False
    return not OutgoingPeerMessage.objects.filter(settled_at=None).exists()


def test_two_people_delete_one_record_at_once_and_one_is_told_it_is_gone(pair):
    source, target = established(pair)
    second = make_admin(pair.source)

    results = at_once(*[lambda by=by: delete(source, by) for by in (pair.source_admin, second)])
    settle()

    assert len(refusals(results)) == 1
    assert states(target) == ["Disconnected"]


def test_two_people_reset_one_record_at_once_and_one_reset_counts(pair):
    source, _target = established(pair)
    second = make_admin(pair.source)

    results = at_once(*[lambda by=by: reset(source, by) for by in (pair.source_admin, second)])

    assert len(refusals(results)) == 1
    assert AuditEvent.objects.filter(event="connection.reset").count() == 1


def test_both_vaults_delete_at_once_and_nothing_is_left(pair):
    source, target = established(pair)

    results = at_once(lambda: delete(source, pair.source_admin), lambda: delete(target, pair.target_admin))
    settle()

    assert not refusals(results)
    assert not Connection.objects.exists()
    assert not OutgoingPeerMessage.objects.filter(settled_at=None).exists()


@pytest.mark.parametrize("side", ["source", "target"])
def test_delete_against_approve_leaves_no_half_established_record(pair, side):
    source = pair.source_record()
    binding = upload(pair.file(connection=source), pair.target_admin)
    there = other_side(binding)
    assert there.connection == source
    decide(there, pair.source_approver)
    settle()
    goes, by = (source, pair.source_admin) if side == "source" else (binding.connection, pair.target_admin)

    at_once(lambda: decide(binding, pair.target_approver), lambda: delete(goes, by))
    settle()

    left = Connection.objects.get()
    assert left.get_state_display() in ("Pending", "Disconnected")
    assert agree(left)
    assert not Task.objects.open().exists()


def test_reset_against_incoming_connect_ends_with_one_truth(pair):
    source, target = established(pair)
    reset(source, pair.source_admin)
    raw = download(fresh(source), pair.source_admin)

    results = at_once(
        lambda: upload(raw, pair.target_admin, fresh(target)), lambda: reset(fresh(target), pair.target_admin)
    )
    settle()

    assert not all(isinstance(result, Refused) for result in results)
    assert agree(source, target)


@pytest.mark.evidence
def test_raced_ends_of_established_connections_leave_both_sides_in_agreement(pair, goal):
    e5 = goal("E5")
    chance, rounds, bad = random.Random(11), e5.count(small=8, full=1000), []
    for number in range(rounds):
        source, target = established(pair)
        acts = {
            "delete source": lambda: delete(source, pair.source_admin),  # noqa: B023
            "delete target": lambda: delete(target, pair.target_admin),  # noqa: B023
            "reset source": lambda: reset(source, pair.source_admin),  # noqa: B023
            "reset target": lambda: reset(target, pair.target_admin),  # noqa: B023
            "inactivate source": lambda: inactivate(source, pair.source_admin),  # noqa: B023
            "inactivate target": lambda: inactivate(target, pair.target_admin),  # noqa: B023
        }
        chosen = chance.sample(sorted(acts), k=chance.randint(2, 4))
        at_once(*[acts[name] for name in chosen])
        settle()
        if not agree(source, target):
            bad.append((number, chosen))
        Connection.objects.filter(pk__in=[source.pk, target.pk]).delete()
    e5.reached(figure=bad, target=[], ok=not bad)
