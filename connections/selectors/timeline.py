"""The Workflow Timeline: what happened to a connection's exchanges on both sides, in order."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connections.constants import BindingState, Side, Verdict
from connections.models import Binding, Connection

SHOWN = 5
_ENDS = {
    BindingState.REFUSED: "Refused by the other Vault",
    BindingState.REJECTED: "Rejected",
    BindingState.WITHDRAWN: "Withdrawn",
    BindingState.ENDED: "Ended",
}
_UNDECIDED = (BindingState.PROPOSED, BindingState.APPROVING)

Event = dict[str, Any]


def events(connection: Connection) -> list[Event]:
    """The newest exchanges, oldest step first; empty for connections that need no approval."""
    rows = connection.bindings.select_related("requested_by__user", "local_decided_by__user")[:SHOWN]
    steps = [step for binding in reversed(rows) for step in _steps(binding)]
    return steps


def _steps(binding: Binding) -> list[Event]:
    steps = [_started(binding)]
    if binding.state == BindingState.PROPOSED:
        steps.append(_event(f"Waiting for {binding.peer_name}", state="current", text=_waiting(binding)))
    if binding.needs_approval and binding.state != BindingState.PROPOSED:
        here = _verdict(
            "here", binding.local_verdict, _person(binding), binding.local_decided_at, binding.local_comment
        )
        there = _verdict(
            f"in {binding.peer_name}",
            binding.remote_verdict,
            binding.remote_decided_by,
            binding.remote_decided_at,
            binding.remote_comment,
        )
        undecided = binding.state in _UNDECIDED
        # What was decided comes in the order of time, what still waits after it.
        steps += sorted(filter(None, (here, there)), key=lambda step: step["at"])
        steps += _open_verdicts(binding) if undecided else []
    if binding.established_at:
        steps.append(_event("Established", at=binding.established_at, text="Both connection records became Active."))
    elif binding.state in _UNDECIDED:
        steps.append(_event("Both records become Active", state="future"))
    if binding.ended_at:
        title, failed = _ENDS[BindingState(binding.state)], binding.state != BindingState.ENDED
        state = "failed" if failed else "done"
        steps.append(_event(title, at=binding.ended_at, by=binding.ended_by, text=binding.end_reason, state=state))
    return steps


def _started(binding: Binding) -> Event:
    if binding.side == Side.TARGET:
        title, by = f"Connection file of {binding.peer_name} uploaded here", binding.requested_by.user.name
    else:
        title, by = f"Connection file uploaded in {binding.peer_name}", binding.remote_requested_by
    text = "" if binding.needs_approval else "The file named its Vault, so no approval was needed."
    return _event(title, at=binding.requested_at, by=by, text=text, icon="file-import")


def _waiting(binding: Binding) -> str:
    """That nothing was heard yet, and what came of the last try."""
    unsent = binding.outgoing.filter(settled_at__isnull=True).exclude(last_error="")
    error = unsent.order_by("pk").values_list("last_error", flat=True).first() or ""
    return f"{binding.peer_name} has not answered yet. {error} The request is sent again by itself until it does."


def _verdict(where: str, verdict: str, by: str, at: datetime | None, comment: str) -> Event | None:
    if not verdict:
        return None
    approved = verdict == Verdict.APPROVE
    word = "Approved" if approved else "Rejected"
    return _event(f"{word} {where}", at=at, by=by, text=comment, state="done" if approved else "failed")


def _open_verdicts(binding: Binding) -> list[Event]:
    waiting = []
    if not binding.local_verdict:
        text = f"Anybody here who may participate in workflows, but not {binding.requested_by.user.name}."
        waiting.append(_event("Waiting for approval here", state="current", text=text))
    if not binding.remote_verdict:
        waiting.append(_event(f"Waiting for approval in {binding.peer_name}", state="current"))
    return waiting


def _person(binding: Binding) -> str:
    return binding.local_decided_by.user.name if binding.local_decided_by else ""


def _event(
    title: str, *, at: datetime | None = None, by: str = "", text: str = "", state: str = "done", icon: str = ""
) -> Event:
    return {"title": title, "at": at, "by": by, "text": text, "state": state, "icon": icon}
