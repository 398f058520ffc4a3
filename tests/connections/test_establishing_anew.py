import pytest

from connections.constants import BindingState, ConnectionState, Verdict
from connections.models import Connection
from connections.services import editing
from tests.connections.handshake import decide, fresh, other_side, refused, settle, states, upload
from tests.factories.connections import (
    download,
    make_admin,
    make_local,
    make_vault_to_vault,
)
from vaultadmin import clock

pytestmark = pytest.mark.django_db


def test_record_is_bound_instead_of_created(pair):
    record = make_vault_to_vault(pair.target_admin, name="Prepared")

    binding = upload(pair.file(named=True), pair.target_admin, record)

    assert binding.connection == record
    assert Connection.objects.filter(vault=pair.target).count() == 1
    assert states(record) == ["Active"]


def test_record_that_expects_another_vault_is_refused(pair):
    record = make_vault_to_vault(pair.target_admin, remote_vault_id=4711)

    assert "4711" in refused(pair.file(named=True), pair.target_admin, record)


@pytest.mark.parametrize("state", [ConnectionState.APPROVED, ConnectionState.INACTIVE])
def test_record_in_another_state_is_refused(pair, state):
    record = make_vault_to_vault(pair.target_admin)
    Connection.objects.filter(pk=record.pk).update(state=state)

    assert state.label in refused(pair.file(named=True), pair.target_admin, record)


def test_local_record_is_refused(pair):
    assert "Vault to Vault" in refused(pair.file(named=True), pair.target_admin, make_local(pair.target_admin))


def test_record_with_a_running_request_is_refused(pair):
    record = make_vault_to_vault(pair.target_admin)
    upload(pair.file(), pair.target_admin, record)

    assert "already running" in refused(pair.file(), pair.target_admin, record)


def test_disconnected_record_is_established_anew(pair):
    record = make_vault_to_vault(pair.target_admin)
    Connection.objects.filter(pk=record.pk).update(state=ConnectionState.DISCONNECTED)

    upload(pair.file(named=True), pair.target_admin, record)

    assert states(record) == ["Active"]


def reset(connection, now):
    record = fresh(connection)
    for binding in record.bindings.in_force():
        binding.end()
        binding.ended_at = now
        binding.save()
    record.reset()
    record.save()
    return record


def test_active_record_is_re_established_with_the_same_peer(pair, now):
    source = pair.source_record(remote_vault_id=pair.target.pk)
    first = upload(pair.file(connection=source), pair.target_admin)
    source = reset(source, now)

    second = upload(pair.file(connection=source), pair.target_admin, fresh(first.connection))

    assert fresh(first).state == BindingState.ENDED
    assert second.state == BindingState.IN_FORCE
    assert states(source, second.connection) == ["Active", "Active"]


def test_active_record_keeps_its_binding_until_the_new_one_is_approved(pair, now):
    source = pair.source_record()
    first = upload(pair.file(connection=source), pair.target_admin)
    decide(first, pair.target_approver)
    decide(other_side(first), pair.source_approver)
    settle()
    source = reset(source, now)
    editing.edit(connection=source, changes={"remote_vault_id": None}, by=pair.source_admin, now=now)

    second = upload(pair.file(connection=fresh(source)), pair.target_admin, fresh(first.connection))

    assert fresh(first).state == BindingState.IN_FORCE
    assert states(second.connection) == ["Pending"]


@pytest.mark.parametrize("verdict_there", [True, False], ids=["rejected-there", "rejected-here"])
def test_a_new_file_on_the_list_takes_the_record_whose_request_was_rejected(pair, verdict_there):
    source = pair.source_record(name="Safety", api_name="safety")
    first = upload(pair.file(connection=source), pair.target_admin)
    if verdict_there:
        decide(other_side(first), pair.source_approver, Verdict.REJECT, "Not yet")
    else:
        decide(first, pair.target_approver, Verdict.REJECT, "Not yet")
    settle()

    second = upload(pair.file(connection=fresh(source)), pair.target_admin)

    assert second.connection == first.connection
    assert not second.creates_record
    assert Connection.objects.filter(vault=pair.target).count() == 1


def test_a_new_file_on_the_list_is_refused_while_a_request_of_its_record_runs(pair):
    source = pair.source_record(name="Safety")
    binding = upload(pair.file(connection=source), pair.target_admin)
    other_side(binding).delete()

    sentence = refused(pair.file(connection=fresh(source)), pair.target_admin)

    assert sentence.startswith("This file belongs to “Safety”, a connection this Vault has already.")
    assert "already running" in sentence
    assert Connection.objects.filter(vault=pair.target).count() == 1


def test_a_new_file_on_the_list_creates_a_record_where_the_old_one_expects_another_vault(pair):
    source = pair.source_record()
    first = upload(pair.file(connection=source), pair.target_admin)
    decide(first, pair.target_approver, Verdict.REJECT, "Not yet")
    settle()
    editing.edit(
        connection=fresh(first.connection), changes={"remote_vault_id": 4711}, by=pair.target_admin, now=clock.now()
    )

    second = upload(pair.file(connection=fresh(source)), pair.target_admin)

    assert second.connection != first.connection
    assert second.creates_record


def test_active_record_is_not_given_to_another_peer(pair):
    first = upload(pair.file(named=True), pair.target_admin)
    third = make_admin()
    other = make_vault_to_vault(third, remote_vault_id=pair.target.pk)

    sentence = refused(download(other, third), pair.target_admin, fresh(first.connection))

    assert "another Vault" in sentence
    assert states(first.connection) == ["Active"]


def test_refusal_by_the_source_leaves_an_existing_record_as_it_was(pair):
    record = make_vault_to_vault(pair.target_admin, name="Prepared")
    source = pair.source_record(remote_vault_id=pair.target.pk)
    raw = pair.file(connection=source)
    source.delete()

    refused(raw, pair.target_admin, record)

    assert states(record) == ["Pending"]
    assert not record.bindings.exists()
