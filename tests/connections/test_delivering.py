from datetime import timedelta

import pytest

from connections.constants import BindingState
from connections.models import OutgoingPeerMessage
from connections.services.handshake import delivering, withdrawing
from tests.connections.handshake import decide, fresh, other_side, settle, states, upload
from tests.fakes import carriers
from vaultadmin import claims, clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def carrier(monkeypatch):
    return carriers.use(monkeypatch, carriers.UnreliableCarrier())


def waiting():
    return OutgoingPeerMessage.objects.filter(settled_at=None)


def test_message_without_an_answer_is_due_again_later_each_time(pair, carrier):
    carrier.fault = carriers.LOSE_MESSAGE
    file, now = pair.file(), clock.now()
    upload(file, pair.target_admin)
    waits = []

    for _ in range(9):
        row = waiting().get()
        waits.append((row.due_at - now).total_seconds())
        now = row.due_at
        delivering.deliver_due(now=now)

    assert all(5 * 0.9 <= wait <= 600 * 1.1 + 1 for wait in waits)
    assert waits[-1] > waits[1] * 10
    assert waiting().get().attempts == 10
    assert waiting().get().last_error == "Lost on the way."


def test_message_that_is_not_due_is_left_alone(pair, carrier):
    carrier.fault = carriers.LOSE_MESSAGE
    upload(pair.file(), pair.target_admin)

    assert delivering.deliver_due(now=clock.now()) == 0


@pytest.mark.parametrize("fault", carriers.FAULTS)
@pytest.mark.parametrize("named", [True, False])
def test_every_fault_once_still_brings_the_connection_up(pair, carrier, fault, named):
    carrier.fault = fault
    source = pair.source_record(remote_vault_id=pair.target.pk if named else None)

    binding = upload(pair.file(connection=source), pair.target_admin)
    carrier.fault = carriers.PERFECT
    settle()
    if not named:
        carrier.fault = fault
        decide(fresh(binding), pair.target_approver)
        decide(other_side(binding), pair.source_approver)
        delivering.deliver_due(now=clock.now() + timedelta(seconds=1))
        carrier.fault = carriers.PERFECT
        settle()

    assert states(source, binding.connection) == ["Active", "Active"]
    assert not waiting().exists()


def test_messages_of_one_exchange_keep_their_order(pair, carrier, now):
    carrier.fault = carriers.LOSE_MESSAGE
    binding = upload(pair.file(), pair.target_admin)
    withdrawing.withdraw(binding=binding, by=pair.target_admin, now=now)

    later = clock.now() + timedelta(hours=1)
    due = OutgoingPeerMessage.objects.due(later)

    assert [row.type for row in due] == ["connect"]
    carrier.fault = carriers.PERFECT
    settle()
    assert other_side(binding).state == BindingState.WITHDRAWN


def test_worker_that_slept_past_its_lease_writes_nothing(pair, carrier):
    carrier.fault = carriers.LOSE_MESSAGE
    binding = upload(pair.file(named=True), pair.target_admin)
    later = clock.now() + timedelta(seconds=30)
    row = waiting().get()
    stale = claims.claim(OutgoingPeerMessage.objects.due(later), limit=1, lease=timedelta(seconds=0), now=later)
    delivering.deliver_due(now=later + timedelta(seconds=1))
    carrier.fault = carriers.PERFECT

    delivery = delivering._deliver(row.pk, stale.token, later, {})

    assert delivery.outcome == "accepted"
    assert fresh(binding).state == BindingState.PROPOSED
    settle()
    assert fresh(binding).state == BindingState.IN_FORCE


def test_answer_to_another_message_is_not_believed(pair, carrier, monkeypatch):
    binding = upload(pair.file(), pair.target_admin)
    _raw, _to = carrier.carried[0]
    decide(binding, pair.target_approver)
    answers = []

    def wrong_answer(raw, *, now, **_rest):
        answers.append(carrier.again(0, now=now))
        return answers[-1]

    monkeypatch.setattr(carrier, "deliver", wrong_answer)
    delivering.deliver_due(now=clock.now() + timedelta(seconds=1))

    assert answers
    assert waiting().get().last_error == "The answer belongs to another message."


def test_unsigned_answer_is_not_believed(pair, carrier, monkeypatch):
    monkeypatch.setattr(carrier, "deliver", lambda raw, **_rest: b'{"outcome":"accepted"}')

    binding = upload(pair.file(named=True), pair.target_admin)

    assert binding.state == BindingState.PROPOSED
