from datetime import timedelta

import pytest

from connections.constants import BindingState, Verdict
from connections.models import Binding, OutgoingPeerMessage
from connections.services.handshake import withdrawing
from connections.tasks import deliver_peer_messages
from tests.connections.handshake import decide, fresh, other_side, states, upload
from tests.factories.connections import (
    download,
    make_admin,
    make_approver,
    make_certificate,
    make_vault_to_vault,
)
from tests.factories.people import make_vault
from tests.fakes import carriers
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alpha():
    """The source: its administrator and its approver."""
    make_certificate()
    vault = make_vault(name="Alpha")
    return make_admin(vault), make_approver(vault)


@pytest.fixture
def beta():
    """The target: its administrator and its approver."""
    vault = make_vault(name="Beta")
    return make_admin(vault), make_approver(vault)


@pytest.fixture
def carrier(monkeypatch):
    return carriers.use(monkeypatch, carriers.UnreliableCarrier())


def tick_until_quiet():
    """What beat does every few seconds, until nothing waits."""
    for _ in range(10):
        OutgoingPeerMessage.objects.filter(settled_at=None).update(
            due_at=clock.now() - timedelta(seconds=1), lease_token=None, lease_until=None
        )
        deliver_peer_messages()
        if not OutgoingPeerMessage.objects.filter(settled_at=None).exists():
            return
    raise AssertionError("messages do not come to rest")


def test_establish_with_a_remote_vault_id(alpha, beta):
    source = make_vault_to_vault(alpha[0], name="Link", remote_vault_id=beta[0].vault_id)

    binding = upload(download(source, alpha[0]), beta[0])

    assert states(source, binding.connection) == ["Active", "Active"]
    assert fresh(binding.connection).remote_vault_name == "Alpha"
    assert fresh(source).remote_vault_name == "Beta"
    assert not Task.objects.exists()


def test_establish_without_a_remote_vault_id(alpha, beta):
    source = make_vault_to_vault(alpha[0], name="Link")

    binding = upload(download(source, alpha[0]), beta[0])
    assert states(source, binding.connection) == ["Pending", "Pending"]

    decide(binding, beta[1])
    assert states(source, binding.connection) == ["Pending", "Approved"]

    decide(other_side(binding), alpha[1])
    assert states(source, binding.connection) == ["Active", "Active"]


def test_establish_is_rejected_and_tried_again(alpha, beta):
    source = make_vault_to_vault(alpha[0])
    binding = upload(download(source, alpha[0]), beta[0])

    decide(other_side(binding), alpha[1], Verdict.REJECT, "Not this Vault.")

    assert states(source, binding.connection) == ["Pending", "Pending"]
    assert fresh(binding).end_reason == "Not this Vault."

    again = upload(download(source, alpha[0]), beta[0], fresh(binding.connection))
    decide(again, beta[1])
    decide(other_side(again), alpha[1])
    assert states(source, again.connection) == ["Active", "Active"]


def test_establish_is_withdrawn(alpha, beta):
    source = make_vault_to_vault(alpha[0])
    binding = upload(download(source, alpha[0]), beta[0])

    withdrawing.withdraw(binding=binding, by=beta[0], now=clock.now())

    assert states(source, binding.connection) == ["Pending", "Pending"]
    assert other_side(binding).state == BindingState.WITHDRAWN
    assert not Task.objects.open().exists()


@pytest.mark.parametrize("fault", carriers.FAULTS)
def test_establish_goes_on_by_itself_after_a_fault(alpha, beta, carrier, fault):
    source = make_vault_to_vault(alpha[0])
    carrier.fault = fault
    binding = upload(download(source, alpha[0]), beta[0])
    carrier.fault = carriers.PERFECT
    tick_until_quiet()

    carrier.fault = fault
    decide(fresh(binding), beta[1])
    decide(other_side(binding), alpha[1])
    carrier.fault = carriers.PERFECT
    tick_until_quiet()

    assert states(source, binding.connection) == ["Active", "Active"]


def test_messages_that_come_again_late_and_out_of_order_change_nothing(alpha, beta, carrier):
    source = make_vault_to_vault(alpha[0])
    binding = upload(download(source, alpha[0]), beta[0])
    decide(binding, beta[1])
    decide(other_side(binding), alpha[1])
    rows = AuditEvent.objects.count()

    for number in (2, 0, 1, 1, 0, 2):
        carrier.again(number, now=clock.now())

    assert states(source, binding.connection) == ["Active", "Active"]
    assert Binding.objects.count() == 2
    assert AuditEvent.objects.count() == rows


def test_both_trails_tell_the_whole_story(alpha, beta):
    source = make_vault_to_vault(alpha[0])
    binding = upload(download(source, alpha[0]), beta[0])
    decide(binding, beta[1])
    decide(other_side(binding), alpha[1])

    for member in (alpha[0], beta[0]):
        events = set(AuditEvent.objects.filter(chain=member.vault_id).values_list("event", flat=True))
        assert {"task.opened", "task.completed", "connection.approved", "connection.established"} <= events
