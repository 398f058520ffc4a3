from datetime import UTC, datetime

import pytest
from django_fsm import TransitionNotAllowed

from connections.constants import BindingState, ConnectionState, ConnectionType
from connections.models import Binding, Connection

P, A, ACT, I, D = (  # noqa: E741
    ConnectionState.PENDING,
    ConnectionState.APPROVED,
    ConnectionState.ACTIVE,
    ConnectionState.INACTIVE,
    ConnectionState.DISCONNECTED,
)
CONNECTION_TABLE = {
    "await_approval": {P: P, D: P, ACT: P},
    "approve": {P: A},
    "establish": {P: ACT, D: ACT, ACT: ACT, A: ACT},
    "give_up": {P: P, A: P},
    "reopen": {D: P, I: P},
    "reset": {ACT: P},
    "disconnect": {ACT: D, I: D},
    "inactivate": {ACT: I},
    "activate": {I: ACT},
}
B = BindingState
BINDING_TABLE = {
    "accept": {B.PROPOSED: B.APPROVING},
    "enforce": {B.PROPOSED: B.IN_FORCE, B.APPROVING: B.IN_FORCE},
    "refuse": {B.PROPOSED: B.REFUSED},
    "reject": {B.PROPOSED: B.REJECTED, B.APPROVING: B.REJECTED},
    "withdraw": {B.PROPOSED: B.WITHDRAWN, B.APPROVING: B.WITHDRAWN},
    "lapse": {B.PROPOSED: B.LAPSED, B.APPROVING: B.LAPSED},
    "end": {B.IN_FORCE: B.ENDED},
}


def pairs(table, states):
    return [(state, name, targets.get(state)) for name, targets in table.items() for state in states]


def transitions_of(model):
    return {name for name in vars(model) if hasattr(vars(model)[name], "_django_fsm")}


@pytest.mark.parametrize(("state", "name", "target"), pairs(CONNECTION_TABLE, ConnectionState))
def test_connection_moves_only_as_the_table_says(state, name, target):
    connection = Connection(type=ConnectionType.VAULT_TO_VAULT, state=state)

    if target is None:
        with pytest.raises(TransitionNotAllowed):
            getattr(connection, name)()
    else:
        getattr(connection, name)()

    assert connection.state == (target or state)


@pytest.mark.parametrize(("state", "name", "target"), pairs(BINDING_TABLE, BindingState))
def test_binding_moves_only_as_the_table_says(state, name, target):
    binding = Binding(state=state)

    if target is None:
        with pytest.raises(TransitionNotAllowed):
            getattr(binding, name)()
    else:
        getattr(binding, name)()

    assert binding.state == (target or state)


def test_tables_name_every_transition():
    assert transitions_of(Connection) == set(CONNECTION_TABLE)
    assert transitions_of(Binding) == set(BINDING_TABLE)


@pytest.mark.parametrize("type_", [ConnectionType.EXTERNAL, ConnectionType.LOCAL])
@pytest.mark.parametrize("name", sorted(set(CONNECTION_TABLE) - {"activate", "inactivate"}))
def test_only_vault_to_vault_connections_are_established(type_, name):
    connection = Connection(type=type_, state=next(iter(CONNECTION_TABLE[name])))

    with pytest.raises(TransitionNotAllowed):
        getattr(connection, name)()


def test_state_cannot_be_assigned():
    connection = Connection(type=ConnectionType.LOCAL, state=ACT, created_at=datetime.now(UTC))

    with pytest.raises(AttributeError):
        connection.state = I
