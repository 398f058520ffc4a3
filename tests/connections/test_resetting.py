import pytest

from connections.constants import BindingState, ConnectionState
from connections.models import Connection, OutgoingPeerMessage
from connections.services import deleting, editing
from connections.services.handshake import establishing, parting
from connections.services.refusals import Refused
from tests.connections.handshake import decide, fresh, other_side, settle, states, upload
from tests.factories.connections import download, make_admin, make_local
from tests.factories.people import make_member, make_vault
from vaultadmin import audit, clock
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


def reset(connection, by, reason=""):
    return parting.reset(connection=connection, by=by, now=clock.now(), reason=reason)


@pytest.fixture
def source(pair):
    return pair.source_record(remote_vault_id=pair.target.pk)


@pytest.fixture
def target(pair, source):
    return upload(pair.file(connection=source), pair.target_admin).connection


def name_the_target(source, pair):
    changes = {"remote_vault_id": pair.target.pk}
    return editing.edit(connection=fresh(source), changes=changes, by=pair.source_admin, now=clock.now())


def new_file(source, pair):
    return download(fresh(source), pair.source_admin)


def test_reset_drops_what_was_agreed_and_keeps_remote_details_as_notes(pair, source, target):
    reset(fresh(source), pair.source_admin, reason="Sandbox refreshed")

    after = fresh(source)
    assert states(source, target) == ["Pending", "Active"]
    assert (after.remote_vault_id, after.remote_connection_id) == (None, "")
    assert after.remote_vault_name == pair.target.name
    assert after.bindings.get().state == BindingState.ENDED
    assert audit.history(after).first().event == "connection.reset"
    assert audit.history(after).first().reason == "Sandbox refreshed"


def test_reset_is_told_to_nobody(pair, source, target):
    told = OutgoingPeerMessage.objects.count()

    reset(fresh(source), pair.source_admin)
    settle()

    assert OutgoingPeerMessage.objects.count() == told
    assert states(target) == ["Active"]
    assert target.bindings.in_force().exists()


def test_reset_makes_remote_vault_id_editable_again(pair, source, target):
    assert not editing.may_change_remote_vault_id(fresh(source))

    reset(fresh(source), pair.source_admin)

    assert editing.may_change_remote_vault_id(fresh(source))


def test_files_from_before_a_reset_are_worthless(pair, source):
    raw = pair.file(connection=source)
    upload(raw, pair.target_admin)

    reset(fresh(source), pair.source_admin)

    with pytest.raises(establishing.FileRefused, match="already used"):
        upload(raw, pair.target_admin)
    assert states(source) == ["Pending"]


def test_re_establishing_with_the_target_named_makes_both_active_at_once(pair, source, target):
    reset(fresh(source), pair.source_admin)
    name_the_target(source, pair)

    again = upload(new_file(source, pair), pair.target_admin, fresh(target))

    assert states(source, target) == ["Active", "Active"]
    assert again.state == BindingState.IN_FORCE
    assert other_side(again).state == BindingState.IN_FORCE
    assert target.bindings.in_force().count() == source.bindings.in_force().count() == 1


def test_old_binding_works_until_the_new_one_is_approved_by_both(pair, source, target):
    old = target.bindings.get()
    reset(fresh(source), pair.source_admin)

    again = upload(new_file(source, pair), pair.target_admin, fresh(target))
    assert states(source, target) == ["Pending", "Pending"]
    assert fresh(old).state == BindingState.IN_FORCE
    decide(again, pair.target_approver)
    assert fresh(old).state == BindingState.IN_FORCE
    decide(other_side(again), pair.source_approver)
    settle()

    assert states(source, target) == ["Active", "Active"]
    assert fresh(old).state == BindingState.ENDED
    assert target.bindings.in_force().get() == again


def test_re_establishing_in_the_other_direction_works_too(pair, source, target):
    reset(fresh(target), pair.target_admin)
    changes = {"remote_vault_id": pair.source.pk}
    editing.edit(connection=fresh(target), changes=changes, by=pair.target_admin, now=clock.now())

    upload(download(fresh(target), pair.target_admin), pair.source_admin, fresh(source))

    assert states(source, target) == ["Active", "Active"]


def test_file_of_another_record_of_the_peer_does_not_replace_an_active_binding(pair, source, target):
    other = pair.source_record(remote_vault_id=pair.target.pk)

    with pytest.raises(establishing.FileRefused, match="another record of that Vault"):
        upload(pair.file(connection=other), pair.target_admin, fresh(target))

    assert states(source, target, other) == ["Active", "Active", "Pending"]


def test_disconnected_record_is_established_again_by_a_file_of_the_other_vault(pair, source, target):
    deleting.delete(connection=source, by=pair.source_admin, now=clock.now())
    settle()
    successor = pair.source_record(remote_vault_id=pair.target.pk)

    upload(pair.file(connection=successor), pair.target_admin, fresh(target))

    assert states(successor, target) == ["Active", "Active"]


def test_disconnected_record_is_pending_once_a_file_of_its_own_is_downloaded(pair, source, target):
    deleting.delete(connection=source, by=pair.source_admin, now=clock.now())
    settle()

    raw = download(fresh(target), pair.target_admin)
    assert states(target) == ["Pending"]
    there = upload(raw, pair.source_admin).connection

    assert states(target, there) == ["Active", "Active"]


def test_standard_connection_is_connected_to_another_vault_after_a_reset(pair, source, target):
    Connection.objects.filter(pk=source.pk).update(system_managed=True)
    third = make_admin(make_vault())

    reset(fresh(source), pair.source_admin)
    there = upload(new_file(source, pair), third).connection
    decide(there.bindings.get(), make_member(third.vault, Permission.CONNECTION_READ, Permission.WORKFLOW_PARTICIPATE))
    decide(source.bindings.open().get(), pair.source_approver)
    settle()

    assert states(source, there, target) == ["Active", "Active", "Active"]
    assert fresh(source).remote_vault_id == third.vault_id


def test_only_an_active_vault_to_vault_record_can_be_reset(pair, source):
    with pytest.raises(Refused, match="is Pending; only an Active one"):
        reset(source, pair.source_admin)
    with pytest.raises(Refused, match="Only Vault to Vault"):
        reset(make_local(pair.source_admin), pair.source_admin)


def test_resetting_takes_manage_connections(pair, source, target):
    member = make_member(pair.source, Permission.CONNECTION_READ, Permission.CONNECTION_EDIT)

    with pytest.raises(PermissionRefused):
        reset(fresh(source), member)

    assert fresh(source).state == ConnectionState.ACTIVE
