"""Where a connection stands on its way, here and, as far as this side knows, in the other vault (ux.md B3)."""

from __future__ import annotations

from dataclasses import dataclass

from connections.constants import BindingState, ConnectionState, Verdict
from connections.models import Binding, Connection

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


def peer_state(connection: Connection, open_binding: Binding | None) -> PeerState | None:
    """How the other side stands; None when there is no other side yet, or none any more."""
    if open_binding is not None:
        return PeerState(open_binding.peer_name, *_asked(open_binding))
    if connection.state != ConnectionState.ACTIVE:
        return None
    name = connection.bindings.in_force().values_list("peer_name", flat=True).first()
    return PeerState(name, "active", "Active") if name is not None else None


def _asked(binding: Binding) -> tuple[str, str]:
    if binding.state == BindingState.PROPOSED:
        return "waiting", "Has not answered yet"
    if binding.remote_verdict == Verdict.APPROVE:
        return "approved", "Approved"
    return "pending", "Pending"
