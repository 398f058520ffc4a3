import pytest

from connections.constants import ConnectionState
from connections.models import Connection
from connections.services import editing, switching
from connections.services.refusals import Refused
from tests.connections.handshake import fresh, other_side, settle, states, upload
from tests.factories.connections import make_external, make_local
from tests.factories.people import make_member
from vaultadmin import audit, clock
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


def inactivate(connection, by, reason=""):
    return switching.inactivate(connection=connection, by=by, now=clock.now(), reason=reason)


def activate(connection, by, reason=""):
    return switching.activate(connection=connection, by=by, now=clock.now(), reason=reason)


def edit(connection, by, **changes):
    return editing.edit(connection=connection, changes=changes, by=by, now=clock.now())


def in_a_sandbox(connection):
    """As a refresh leaves an External connection: Inactive, its URL taken away."""
    Connection.objects.filter(pk=connection.pk).update(state=ConnectionState.INACTIVE, url="", url_removed=True)
    return fresh(connection)


@pytest.mark.parametrize("make", [make_local, make_external])
def test_connection_is_inactivated_and_activated_with_its_reason_in_the_trail(admin, make):
    connection = make(admin)

    inactivate(connection, admin, reason="Maintenance")
    assert states(connection) == ["Inactive"]
    activate(connection, admin, reason="Done")

    assert states(connection) == ["Active"]
    rows = audit.history(connection).values_list("event", "reason")[:2]
    assert list(rows) == [("connection.activated", "Done"), ("connection.inactivated", "Maintenance")]


def test_inactivating_one_side_leaves_the_peer_alone(pair):
    binding = upload(pair.file(named=True), pair.target_admin)
    there = other_side(binding).connection

    inactivate(binding.connection, pair.target_admin)
    settle()

    assert states(binding.connection, there) == ["Inactive", "Active"]
    assert binding.connection.bindings.in_force().exists()
    assert activate(fresh(binding.connection), pair.target_admin).state == ConnectionState.ACTIVE


def test_connection_without_a_url_of_its_own_choice_can_be_activated_again(admin):
    connection = make_external(admin, url="")
    inactivate(connection, admin)

    assert activate(fresh(connection), admin).state == ConnectionState.ACTIVE


def test_connection_whose_url_was_taken_away_asks_for_it(admin):
    connection = in_a_sandbox(make_external(admin))

    with pytest.raises(Refused, match="enter the URL"):
        activate(connection, admin)

    assert states(connection) == ["Inactive"]


def test_saving_a_url_activates_a_connection_whose_url_was_taken_away(admin):
    connection = in_a_sandbox(make_external(admin))

    saved = edit(connection, admin, url="https://test.example.com/")

    assert (saved.state, saved.url_removed) == (ConnectionState.ACTIVE, False)


def test_saving_another_field_leaves_an_inactive_connection_inactive(admin):
    connection = make_external(admin)
    inactivate(connection, admin)

    saved = edit(fresh(connection), admin, name="Renamed", url=connection.url)

    assert (saved.name, saved.state) == ("Renamed", ConnectionState.INACTIVE)


def test_activating_a_record_established_with_nobody_makes_it_pending(pair):
    record = pair.source_record()
    Connection.objects.filter(pk=record.pk).update(state=ConnectionState.INACTIVE)

    assert activate(fresh(record), pair.source_admin).state == ConnectionState.PENDING


@pytest.mark.parametrize("act", [inactivate, activate])
def test_switching_takes_manage_connections(admin, act):
    member = make_member(admin.vault, Permission.CONNECTION_READ, Permission.CONNECTION_EDIT)

    with pytest.raises(PermissionRefused):
        act(make_local(admin), member)
