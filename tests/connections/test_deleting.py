import pytest

from connections.constants import BindingState
from connections.models import Binding, Connection, ConnectionStats, IncomingPeerMessage, OutgoingPeerMessage
from connections.services import deleting
from connections.services.handshake import establishing, parting, withdrawing
from connections.services.refusals import Refused
from tests.connections.handshake import decide, fresh, other_side, settle, states, upload
from tests.factories.connections import (
    download,
    make_external,
    make_local,
    make_vault_to_vault,
)
from tests.factories.people import make_member
from tests.fakes import carriers
from vaultadmin import audit, clock
from vaultadmin.models import AuditEvent, Task
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.together import known

pytestmark = pytest.mark.django_db


@pytest.fixture
def carrier(monkeypatch):
    return carriers.use(monkeypatch, carriers.UnreliableCarrier())


def delete(connection, by, reason=""):
    deleting.delete(connection=connection, by=by, now=clock.now(), reason=reason)


def established(pair):
    source = pair.source_record(remote_vault_id=pair.target.pk)
    target = upload(pair.file(connection=source), pair.target_admin).connection
    return source, target


@pytest.mark.parametrize("make", [make_local, make_external, make_vault_to_vault])
def test_deleting_any_type_removes_the_record_and_keeps_its_trail(admin, make):
    connection = make(admin)
    history = audit.history(connection)

    delete(connection, admin, reason="Not used any more")

    assert not Connection.objects.exists()
    assert history.first().event == "connection.deleted"
    assert history.first().reason == "Not used any more"
    assert history.first().changes["Name"] == [connection.name, None]


def test_deleting_an_established_record_disconnects_the_peer(pair):
    source, target = established(pair)

    delete(source, pair.source_admin, reason="The study is over")
    settle()

    assert states(target) == ["Disconnected"]
    ended = target.bindings.get()
    assert ended.state == BindingState.ENDED
    assert ended.ended_by == pair.source_admin.user.name
    assert ended.end_reason == "The other Vault deleted its connection record. The study is over"
    assert audit.history(target).filter(event="connection.disconnected").exists()


def test_deleting_an_established_record_disconnects_an_inactive_peer(pair):
    source, target = established(pair)
    inactive = fresh(target)
    inactive.inactivate()
    inactive.save()

    delete(source, pair.source_admin)
    settle()

    assert states(target) == ["Disconnected"]


def test_deleting_an_established_record_deletes_the_stats_of_both_sides(pair):
    source, target = established(pair)
    other = make_local(pair.target_admin)
    for record in (source, target, other):
        ConnectionStats.objects.create(connection=record, date=clock.now().date(), sent=3)

    delete(source, pair.source_admin)
    settle()

    assert [row.connection_id for row in ConnectionStats.objects.all()] == [other.pk]
    assert audit.history(target).filter(event="connection.stats_deleted").exists()


def test_deletion_is_told_from_its_row_until_the_peer_answers(pair, carrier):
    source, target = established(pair)
    carrier.fault = carriers.LOSE_MESSAGE

    delete(source, pair.source_admin)

    waiting = OutgoingPeerMessage.objects.get(settled_at=None)
    assert (waiting.type, waiting.binding_id, waiting.attempts) == ("delete", None, 0)
    settle_lossy(carrier)
    assert states(target) == ["Disconnected"]
    assert not OutgoingPeerMessage.objects.filter(settled_at=None).exists()


def settle_lossy(carrier):
    for fault in (carriers.LOSE_MESSAGE, carriers.GARBLE, carriers.LOSE_ANSWER):
        carrier.fault = fault
        with pytest.raises(AssertionError):
            settle(rounds=1)
    carrier.fault = carriers.TWICE
    settle()


def test_deletion_told_twice_has_one_effect(pair, carrier):
    source, _target = established(pair)

    delete(source, pair.source_admin)
    settle()
    carrier.again(len(carrier.carried) - 1, now=clock.now())

    assert AuditEvent.objects.filter(event="connection.disconnected").count() == 1
    assert IncomingPeerMessage.objects.filter(type="delete").count() == 1


def test_deleting_a_record_with_a_running_request_withdraws_it_there(pair):
    source = pair.source_record()
    target = upload(pair.file(connection=source), pair.target_admin).connection

    delete(source, pair.source_admin)
    settle()

    assert states(target) == ["Pending"]
    assert target.bindings.get().state == BindingState.WITHDRAWN
    assert not Task.objects.open().exists()


def test_deleting_the_uploading_record_before_the_source_heard_leaves_nothing_open(pair, carrier):
    source = pair.source_record()
    carrier.fault = carriers.LOSE_MESSAGE
    target = upload(pair.file(connection=source), pair.target_admin).connection

    delete(target, pair.target_admin)
    carrier.fault = carriers.PERFECT
    settle()

    assert states(source) == ["Pending"]
    assert source.bindings.get().state == BindingState.WITHDRAWN


def test_deleting_a_reset_record_disconnects_the_peer_that_was_not_told_of_the_reset(pair):
    source, target = established(pair)
    parting.reset(connection=source, by=pair.source_admin, now=clock.now())

    delete(source, pair.source_admin)
    settle()

    assert states(target) == ["Disconnected"]


def test_deleting_the_source_of_a_running_re_establishment_ends_what_was_agreed_too(pair):
    source, target = established(pair)
    parting.reset(connection=source, by=pair.source_admin, now=clock.now())
    again = upload(download(fresh(source), pair.source_admin), pair.target_admin, fresh(target))
    ConnectionStats.objects.create(connection=target, date=clock.now().date(), sent=3)

    delete(source, pair.source_admin)
    settle()

    assert states(target) == ["Pending"]
    assert fresh(again).state == BindingState.WITHDRAWN
    assert not target.bindings.in_force().exists()
    assert not ConnectionStats.objects.exists()


def test_late_deletion_of_an_older_peer_leaves_the_present_one_alone(pair, carrier):
    old, target = established(pair)
    carrier.fault = carriers.LOSE_MESSAGE
    delete(old, pair.source_admin)
    parting.reset(connection=fresh(target), by=pair.target_admin, now=clock.now())
    carrier.fault = carriers.PERFECT
    new = pair.source_record(remote_vault_id=pair.target.pk)
    upload(pair.file(connection=new), pair.target_admin, fresh(target))

    settle()

    assert states(new, target) == ["Active", "Active"]


def test_message_for_a_deleted_record_ends_the_request_there(pair, carrier):
    binding = upload(pair.file(), pair.target_admin)
    source = other_side(binding).connection
    carrier.fault = carriers.LOSE_MESSAGE
    delete(source, pair.source_admin)
    decide(binding, pair.target_approver)
    carrier.fault = carriers.PERFECT

    settle()

    assert states(binding.connection) == ["Pending"]
    assert fresh(binding).state == BindingState.WITHDRAWN


def test_both_sides_deleted_leaves_nothing_and_no_message(pair):
    source, target = established(pair)

    delete(source, pair.source_admin)
    delete(target, pair.target_admin)
    settle()

    assert not Connection.objects.exists()
    assert not Binding.objects.exists()


def test_file_of_a_deleted_record_is_refused_in_words(pair):
    source = pair.source_record()
    raw = pair.file(connection=source)
    delete(source, pair.source_admin)

    with pytest.raises(establishing.FileRefused, match="no longer knows it"):
        upload(raw, pair.target_admin)


def test_system_managed_record_cannot_be_deleted(admin):
    connection = make_vault_to_vault(admin)
    Connection.objects.filter(pk=connection.pk).update(system_managed=True)

    with pytest.raises(Refused, match="system-managed"):
        delete(connection, admin)

    assert Connection.objects.exists()


def test_record_in_use_cannot_be_deleted_and_says_by_what(admin, monkeypatch):
    connection = make_local(admin)
    blockers = [lambda _: known(""), lambda row: known(f"The queue “out” uses {row.name}.")]
    monkeypatch.setattr(deleting, "blockers", blockers)

    with pytest.raises(Refused, match="The queue “out” uses Itself"):
        delete(connection, admin)

    assert states(connection) == ["Active"]


def test_deleting_takes_the_permission(pair):
    member = make_member(pair.source, Permission.CONNECTION_READ, Permission.CONNECTION_EDIT)
    connection = pair.source_record()

    with pytest.raises(PermissionRefused):
        delete(connection, member)


def test_deleted_record_refuses_every_later_act_in_words(pair):
    source = pair.source_record()
    binding = upload(pair.file(connection=source), pair.target_admin)
    there = other_side(binding)
    assert there.connection == source
    delete(source, pair.source_admin)
    acts = [
        lambda: download(source, pair.source_admin),
        lambda: delete(source, pair.source_admin),
        lambda: parting.reset(connection=source, by=pair.source_admin, now=clock.now()),
        lambda: decide(there, pair.source_approver),
        lambda: withdrawing.withdraw(binding=there, by=pair.source_admin, now=clock.now()),
    ]

    for act in acts:
        with pytest.raises(Refused):
            act()


def test_file_that_was_used_stays_used_after_the_target_was_deleted(pair):
    source = pair.source_record(remote_vault_id=pair.target.pk)
    raw = pair.file(connection=source)
    target = upload(raw, pair.target_admin).connection
    delete(target, pair.target_admin)
    settle()

    with pytest.raises(establishing.FileRefused, match="already used"):
        upload(raw, pair.target_admin)

    assert states(source) == ["Disconnected"]
