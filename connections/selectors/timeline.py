"""The Workflow Timeline: what happened to a connection's exchanges on both sides, in order."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connections.constants import APPROVAL_TASK, BindingState, Side, Verdict
from connections.models import Binding
from connections.selectors.record import SHOWN, Record
from vaultadmin import clock
from vaultadmin.signing import services as signing
from vaultadmin.together import Asking, together
from vaultadmin.worklist import holding
from vaultadmin.worklist import selectors as worklist
from vaultadmin.worklist.holding import own_requests_allowed

_ENDS = {
    BindingState.REFUSED: "Refused by the other Vault",
    BindingState.REJECTED: "Rejected",
    BindingState.WITHDRAWN: "Withdrawn",
    BindingState.LAPSED: "Lapsed",
    BindingState.ENDED: "Ended",
}
_DOUBT = " This signature does not fit what is stored: have the record examined."
_UNDECIDED = (BindingState.PROPOSED, BindingState.APPROVING)

Event = dict[str, Any]


def events(record: Record) -> Asking[list[Event]]:
    """The newest exchanges, oldest step first; empty for connections that need no approval."""
    steps = yield from together([_steps(binding) for binding in reversed(record.bindings[:SHOWN])])
    return [step for each in steps for step in each]


def _steps(binding: Binding) -> Asking[list[Event]]:
    steps = [_started(binding)]
    if binding.state == BindingState.PROPOSED:
        waiting = yield from _waiting(binding)
        steps.append(_event(f"Waiting for {binding.peer_name}", state="current", text=waiting))
    if binding.needs_approval and binding.state != BindingState.PROPOSED:
        undecided = binding.state in _UNDECIDED
        # What was decided comes in the order of time, what still waits after it.
        here = yield from _here(binding)
        steps += sorted(filter(None, (here, _there(binding))), key=lambda step: step["at"])
        steps += (yield from _open_verdicts(binding)) if undecided else []
    if binding.established_at:
        steps.append(_event("Established", at=binding.established_at, text="Both connection records became Active."))
    elif binding.state in _UNDECIDED:
        steps.append(_event("Both records become Active", state="future"))
        steps.append(_event("Lapses if it is not decided", at=binding.lapses_at, state="future", icon="alarm"))
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


def _waiting(binding: Binding) -> Asking[str]:
    """That nothing was heard yet, and what came of the last try."""
    unsent = binding.outgoing.filter(settled_at__isnull=True).exclude(last_error="")
    (errors,) = yield (unsent.order_by("pk").values_list("last_error", flat=True)[:1],)
    error = next(iter(errors), "")
    return f"{binding.peer_name} has not answered yet. {error} The request is sent again by itself until it does."


def _here(binding: Binding) -> Asking[Event | None]:
    if not binding.local_verdict:
        return None
    event = _verdict("here", binding.local_verdict, binding.local_decided_at, binding.local_comment)
    signature = binding.local_signature
    if signature is None:
        return event | {"by": _person(binding)}
    words = " The six words were compared." if binding.words_compared else ""
    own = " The requester decided it; this sandbox allows that." if binding.own_request_decided else ""
    whole = yield from signing.verifying(signature, subject=binding, version=binding.local_version)
    doubt = "" if whole else _DOUBT
    note = _signed(signature.meaning, signature.get_method_display())
    return event | {"by": signature.signer_name, "note": f"{note}{words}{own}{doubt}"}


def _there(binding: Binding) -> Event | None:
    if not binding.remote_verdict:
        return None
    where, at = f"in {binding.peer_name}", binding.remote_decided_at
    note = _signed(binding.remote_meaning, binding.remote_method) if binding.remote_meaning else ""
    event = _verdict(where, binding.remote_verdict, at, binding.remote_comment)
    return event | {"by": binding.remote_decided_by, "note": note}


def _verdict(where: str, verdict: str, at: datetime | None, comment: str) -> Event:
    approved = verdict == Verdict.APPROVE
    word = "Approved" if approved else "Rejected"
    return _event(f"{word} {where}", at=at, text=comment, state="done" if approved else "failed")


def _signed(meaning: str, method: str) -> str:
    """What a signature says beside its name and time (21 CFR 11.50)."""
    return f"Signed: {meaning}. {method}."


def _open_verdicts(binding: Binding) -> Asking[list[Event]]:
    waiting = []
    if not binding.local_verdict:
        who = yield from _who_decides(binding)
        waiting.append(_event("Waiting for approval here", state="current", text=who))
    if not binding.remote_verdict:
        waiting.append(_event(f"Waiting for approval in {binding.peer_name}", state="current"))
    return waiting


def _who_decides(binding: Binding) -> Asking[str]:
    task = yield from worklist.task_about(binding, kind=APPROVAL_TASK)
    if task and (held_by := holding.holder(task)):
        person = yield from holding.receiving(task, now=clock.now())
        return f"Assigned to {held_by}." + (f" {person} may decide for them." if person else "")
    own = own_requests_allowed(binding.connection.vault)
    but = "" if own else f", but not {binding.requested_by.user.name}"
    return f"Anybody here who may participate in workflows{but}."


def _person(binding: Binding) -> str:
    return binding.local_decided_by.user.name if binding.local_decided_by else ""


def _event(
    title: str, *, at: datetime | None = None, by: str = "", text: str = "", state: str = "done", icon: str = ""
) -> Event:
    return {"title": title, "at": at, "by": by, "text": text, "state": state, "icon": icon}
