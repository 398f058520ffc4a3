from datetime import timedelta

import pytest

from connections.constants import BindingState
from connections.models import Binding
from connections.services.handshake import approving, lapsing
from connections.services.refusals import Refused
from tests.connections.handshake import decide, fresh, other_side, settle, states, steps_of, upload
from vaultadmin import audit, clock
from vaultadmin.models import Signature, Task, VaultSettings
from vaultadmin.models.task import TaskStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def running(pair):
    return upload(pair.file(), pair.target_admin)


def overdue(binding):
    Binding.objects.filter(pk=binding.pk).update(lapses_at=clock.now() - timedelta(seconds=1))
    return fresh(binding)


@pytest.mark.parametrize("days", [1, 14, 90])
def test_request_lapses_after_the_days_the_vault_has_set(pair, days):
    VaultSettings.objects.create(vault=pair.target, request_days=days)

    binding = upload(pair.file(), pair.target_admin)

    assert binding.lapses_at - binding.requested_at == timedelta(days=days)
    assert Task.objects.get(vault=pair.target).due_at == binding.lapses_at
    assert other_side(binding).lapses_at - other_side(binding).requested_at == timedelta(days=14)


def test_request_in_time_is_left_alone(running):
    assert lapsing.lapse_due(now=running.lapses_at - timedelta(seconds=1)) == 0
    assert fresh(running).state == BindingState.APPROVING


def test_overdue_request_ends_on_both_sides_and_says_so(running):
    overdue(running)

    assert lapsing.lapse_due(now=clock.now()) == 1
    settle()

    there = other_side(running)
    assert (fresh(running).state, there.state) == (BindingState.LAPSED, BindingState.LAPSED)
    assert states(running.connection, there.connection) == ["Pending", "Pending"]
    assert set(Task.objects.values_list("status", flat=True)) == {TaskStatus.CANCELLED}
    for connection in (running.connection, there.connection):
        last = steps_of(fresh(connection))[-1]
        assert (last["title"], last["state"]) == ("Lapsed", "failed")
        assert "Nobody decided within" in last["text"]
        assert audit.history(connection).filter(event="connection.lapsed").exists()


def test_second_run_finds_nothing(running):
    overdue(running)
    lapsing.lapse_due(now=clock.now())

    assert lapsing.lapse_due(now=clock.now()) == 0


def test_both_sides_lapsing_at_once_come_to_rest(running):
    overdue(running)
    overdue(other_side(running))

    assert lapsing.lapse_due(now=clock.now()) >= 1
    settle()

    assert {fresh(running).state, other_side(running).state} == {BindingState.LAPSED}


def test_request_approved_here_only_lapses_too(pair, running):
    decide(running, pair.target_approver)
    overdue(running)

    lapsing.lapse_due(now=clock.now())
    settle()

    assert states(running.connection, other_side(running).connection) == ["Pending", "Pending"]


def test_established_connection_never_lapses(pair, running):
    decide(running, pair.target_approver)
    decide(other_side(running), pair.source_approver)
    settle()
    overdue(running)

    assert lapsing.lapse_due(now=clock.now()) == 0
    assert states(running.connection) == ["Active"]


def test_approval_after_the_deadline_is_refused_before_the_sweep_came(pair, running):
    overdue(running)

    with pytest.raises(Refused, match="lapsed"):
        decide(fresh(running), pair.target_approver)

    assert not Signature.objects.exists()
    assert fresh(running).local_verdict == ""


def test_approval_after_the_lapse_is_refused_in_a_sentence(pair, running):
    overdue(running)
    lapsing.lapse_due(now=clock.now())

    with pytest.raises(Refused, match="lapsed because nobody decided"):
        decide(fresh(running), pair.target_approver)
    assert "lapsed" in approving.approval_refusal(fresh(running), pair.target_approver, now=clock.now())


def test_a_new_file_works_after_a_lapse(pair, running):
    overdue(running)
    lapsing.lapse_due(now=clock.now())
    settle()
    source = fresh(other_side(running).connection)

    again = upload(pair.file(connection=source), pair.target_admin, fresh(running.connection))

    assert again.state == BindingState.APPROVING
