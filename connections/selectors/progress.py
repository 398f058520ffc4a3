"""Where a connection stands on its way, here and, as far as this side knows, in the other vault (ux.md B3)."""

from __future__ import annotations

from dataclasses import dataclass

from connections.constants import BindingState, ConnectionState, Verdict
from connections.models import Binding, Connection
from connections.selectors.record import Record

_WAY = (ConnectionState.PENDING, ConnectionState.APPROVED, ConnectionState.ACTIVE)


@dataclass(frozen=True)
class Step:
    """One state of the way; exactly one of them is where the record is now."""

    state: str
    label: str
    current: bool
    passed: bool


@dataclass(frozen=True)
class PeerState:
    """The other vault's side: its name, its state, and that state in words."""

    name: str
    state: str
    label: str


def way(connection: Connection) -> list[Step]:
    """The states of a Vault to Vault connection in order; empty for types that need no agreement."""
    if not connection.is_vault_to_vault:
        return []
    present = ConnectionState(connection.state)
    # Inactive and Disconnected lie beyond the way to Active and are shown only when that is where it is.
    states = _WAY if present in _WAY else (*_WAY, present)
    place = states.index(present)
    return [
        Step(state.value, str(state.label), current=number == place, passed=number < place)
        for number, state in enumerate(states)
    ]


def peer_state(record: Record) -> PeerState | None:
    """How the other side stands; None when there is no other side yet, or none any more."""
    if record.open is not None:
        return PeerState(record.open.peer_name, *_asked(record.open))
    if record.connection.state != ConnectionState.ACTIVE or record.in_force is None:
        return None
    return PeerState(record.in_force.peer_name, "active", "Active")


def _asked(binding: Binding) -> tuple[str, str]:
    if binding.state == BindingState.PROPOSED:
        return "waiting", "Has not answered yet"
    if binding.remote_verdict == Verdict.APPROVE:
        return "approved", "Approved"
    return "pending", "Pending"
