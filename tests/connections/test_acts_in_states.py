from uuid import uuid4

import pytest

from connections.constants import BindingState, ConnectionState, ConnectionType
from connections.models import Binding, Connection
from connections.services import deleting, editing, switching
from connections.services.handshake import files, parting, withdrawing
from connections.services.refusals import Refused
from tests.connections.handshake import decide, fresh, other_side, settle, states, upload
from tests.connections.test_faults import content
from tests.factories.connections import download, make_external, make_local, make_vault_to_vault
from vaultadmin import clock

pytestmark = pytest.mark.django_db

PENDING, ASKED, APPROVED, ACTIVE, INACTIVE, DISCONNECTED, RENEWING = (
    "Pending",
    "Pending with a request",
    "Approved",
    "Active",
    "Inactive",
    "Disconnected",
    "Active with a request",
)


def pending(pair):
    return pair.source_record()


def asked(pair):
    return other_side(upload(pair.file(connection=pending(pair)), pair.target_admin)).connection


def approved(pair):
    record = asked(pair)
    decide(record.bindings.get(), pair.source_approver)
    return record


def active(pair):
    binding = upload(pair.file(named=True), pair.target_admin)
    return other_side(binding).connection


def inactive(pair):
    return switching.inactivate(connection=active(pair), by=pair.source_admin, now=clock.now())


def disconnected(pair):
    record = active(pair)
    peer = other_side(record.bindings.get()).connection
    deleting.delete(connection=peer, by=pair.target_admin, now=clock.now())
    settle()
    return record


def renewing(pair):
    """Active, with a file of the reset peer uploaded that the peer has not answered yet."""
    record = active(pair)
    peer = other_side(record.bindings.get()).connection
    parting.reset(connection=peer, by=pair.target_admin, now=clock.now())
    binding = upload(download(fresh(peer), pair.target_admin), pair.source_admin, fresh(record))
    Binding.objects.filter(pk=binding.pk).update(state=BindingState.PROPOSED)
    Connection.objects.filter(pk=record.pk).update(state=ConnectionState.ACTIVE)
    return record


STATES = {
    PENDING: pending,
    ASKED: asked,
    APPROVED: approved,
    ACTIVE: active,
    INACTIVE: inactive,
    DISCONNECTED: disconnected,
    RENEWING: renewing,
}


def do_download(record, pair):
    files.issue(connection=record, file_id=uuid4(), by=pair.source_admin, now=clock.now())


def do_reset(record, pair):
    parting.reset(connection=record, by=pair.source_admin, now=clock.now())


def do_inactivate(record, pair):
    switching.inactivate(connection=record, by=pair.source_admin, now=clock.now())


def do_activate(record, pair):
    switching.activate(connection=record, by=pair.source_admin, now=clock.now())


def do_name_the_target(record, pair):
    changes = {"remote_vault_id": 4711}
    editing.edit(connection=record, changes=changes, by=pair.source_admin, now=clock.now())


def do_withdraw(record, pair):
    binding = record.bindings.open().first() or record.bindings.first()
    if binding is None:
        raise Refused("There is nothing to withdraw.")
    withdrawing.withdraw(binding=binding, by=pair.source_admin, now=clock.now())


def do_approve(record, pair):
    binding = record.bindings.open().first() or record.bindings.first()
    if binding is None:
        raise Refused("There is nothing to approve.")
    decide(binding, pair.source_approver)


def do_delete(record, pair):
    deleting.delete(connection=record, by=pair.source_admin, now=clock.now())


ALLOWED = {
    do_download: {PENDING, DISCONNECTED},
    do_reset: {ACTIVE},
    do_inactivate: {ACTIVE},
    do_activate: {INACTIVE},
    do_name_the_target: {PENDING, DISCONNECTED},
    do_withdraw: {ASKED, APPROVED, RENEWING},
    do_approve: {ASKED},
    do_delete: set(STATES),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("act", ALLOWED, ids=lambda act: act.__name__)
def test_act_is_done_in_its_states_and_refused_in_a_sentence_in_all_others(pair, act, state):
    record = STATES[state](pair)
    before = content()

    if state in ALLOWED[act]:
        act(fresh(record), pair)
        assert content() != before
        return
    with pytest.raises(Refused) as refusal:
        act(fresh(record), pair)
    assert str(refusal.value).endswith(".")
    assert content() == before


@pytest.mark.parametrize("state", [APPROVED, INACTIVE, ASKED, RENEWING])
def test_file_of_a_peer_is_refused_where_nothing_may_be_connected(pair, state):
    record = STATES[state](pair)
    raw = download(make_vault_to_vault(pair.target_admin), pair.target_admin)
    before = states(record), record.bindings.count()

    with pytest.raises(Refused):
        upload(raw, pair.source_admin, fresh(record))

    assert (states(record), record.bindings.count()) == before


@pytest.mark.parametrize("make", [make_external, make_local])
@pytest.mark.parametrize("act", [do_download, do_reset, do_activate], ids=lambda act: act.__name__)
def test_types_without_a_peer_know_only_their_own_acts(pair, act, make):
    record = make(pair.source_admin)
    before = content()

    with pytest.raises(Refused):
        act(record, pair)

    assert content() == before


def test_table_covers_every_state_of_the_lifecycle(pair):
    reached = {fresh(make(pair)).state for make in STATES.values()}

    assert reached == set(ConnectionState)
    assert {record.type for record in Connection.objects.all()} == {ConnectionType.VAULT_TO_VAULT}
