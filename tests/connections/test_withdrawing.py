import pytest

from connections.constants import BindingState
from connections.services.handshake import withdrawing
from connections.services.refusals import Refused
from tests.connections.handshake import fresh, other_side, settle, states, upload
from tests.factories.connections import make_admin
from tests.fakes import carriers
from vaultadmin import clock
from vaultadmin.models import Membership, Task, User

pytestmark = pytest.mark.django_db


def withdraw(binding, by, reason=""):
    return withdrawing.withdraw(binding=binding, by=by, now=clock.now(), reason=reason)


@pytest.fixture
def binding(pair):
    return upload(pair.file(), pair.target_admin)


def leaves_the_vault(member):
    Membership.objects.filter(pk=member.pk).update(is_active=False)


def is_closed(member):
    User.objects.filter(pk=member.user_id).update(is_active=False)


def test_somebody_else_cannot_withdraw_while_the_requester_is_here(pair, binding):
    with pytest.raises(Refused, match=f"Only {pair.target_admin.user.name}"):
        withdraw(binding, make_admin(pair.target), "It takes too long")

    assert fresh(binding).is_open


@pytest.mark.parametrize("goes", [leaves_the_vault, is_closed])
def test_somebody_else_withdraws_with_a_reason_once_the_requester_has_left(pair, binding, goes):
    goes(pair.target_admin)
    there = other_side(binding)

    withdraw(fresh(binding), make_admin(pair.target), "Nobody is left who asked for it")
    settle()

    assert states(binding.connection, there.connection) == ["Pending", "Pending"]
    assert fresh(binding).end_reason == fresh(there).end_reason == "Nobody is left who asked for it"
    assert not Task.objects.open().exists()


def test_withdrawing_for_somebody_who_left_takes_a_reason(pair, binding):
    leaves_the_vault(pair.target_admin)

    with pytest.raises(Refused, match="Say why") as refusal:
        withdraw(fresh(binding), make_admin(pair.target), "  ")

    assert refusal.value.field == "reason"
    assert fresh(binding).is_open


def test_source_side_is_withdrawn_by_another_administrator_once_the_downloader_left(pair, binding):
    leaves_the_vault(pair.source_admin)
    there = other_side(binding)

    withdraw(there, make_admin(pair.source), "The downloader left")
    settle()

    assert {fresh(binding).state, fresh(there).state} == {BindingState.WITHDRAWN}


def test_request_the_other_vault_has_not_heard_of_is_withdrawn_by_another_administrator(pair, monkeypatch):
    carrier = carriers.use(monkeypatch, carriers.UnreliableCarrier(fault=carriers.LOSE_MESSAGE))
    source = pair.source_record()
    binding = upload(pair.file(connection=source), pair.target_admin)
    assert binding.state == BindingState.PROPOSED
    leaves_the_vault(pair.target_admin)

    withdraw(fresh(binding), make_admin(pair.target), "Never answered")
    carrier.fault = carriers.PERFECT
    settle()

    assert states(binding.connection, source) == ["Pending", "Pending"]
    assert fresh(binding).state == BindingState.WITHDRAWN
