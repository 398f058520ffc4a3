from __future__ import annotations

import pytest

from connections.constants import ConnectionState, Verdict
from connections.models import Binding, Connection
from connections.selectors import progress
from tests.connections.handshake import decide, record_of, settle, upload
from tests.factories.connections import (
    download,
    make_admin,
    make_approver,
    make_certificate,
    make_external,
    make_vault_to_vault,
)
from tests.factories.people import make_vault

pytestmark = pytest.mark.django_db


@pytest.fixture
def source():
    make_certificate()
    return make_admin(make_vault(name="Alpha"))


@pytest.fixture
def target():
    return make_admin(make_vault(name="Beta"))


def current(connection):
    return [step.label for step in progress.way(connection) if step.current]


def there(connection):
    found = progress.peer_state(record_of(connection))
    return (found.name, found.label) if found else None


def test_record_nobody_answered_is_pending_and_knows_no_peer(source):
    record = make_vault_to_vault(source)

    assert current(record) == ["Pending"]
    assert there(record) is None


def test_both_sides_are_shown_while_people_decide(source, target):
    make_certificate()
    record = make_vault_to_vault(source)
    upload(download(record, source), target)
    assert there(Connection.objects.get(pk=record.pk)) == ("Beta", "Pending")

    other = Binding.objects.get(connection__vault=target.vault_id)
    decide(other, make_approver(target.vault), Verdict.APPROVE)
    settle()

    record = Connection.objects.get(pk=record.pk)
    assert current(record) == ["Pending"]
    assert there(record) == ("Beta", "Approved")
    assert current(Connection.objects.get(pk=other.connection_id)) == ["Approved"]
    assert there(Connection.objects.get(pk=other.connection_id)) == ("Alpha", "Pending")


def test_established_record_shows_the_peer_as_active(source, target):
    record = make_vault_to_vault(source, remote_vault_id=target.vault_id)
    upload(download(record, source), target)

    record = Connection.objects.get(pk=record.pk)
    assert current(record) == ["Active"]
    assert there(record) == ("Beta", "Active")


@pytest.mark.parametrize("state", [ConnectionState.INACTIVE, ConnectionState.DISCONNECTED])
def test_states_beyond_active_are_shown_only_when_they_hold(source, state):
    record = make_vault_to_vault(source)
    Connection.objects.filter(pk=record.pk).update(state=state)
    record = Connection.objects.get(pk=record.pk)

    assert [step.label for step in progress.way(record)] == ["Pending", "Approved", "Active", state.label]
    assert current(record) == [state.label]
    assert there(record) is None


def test_types_without_agreement_have_no_way(source):
    assert progress.way(make_external(source)) == []
