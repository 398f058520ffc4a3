"""The banner of the record page: what happened last, and the next legal step as the main button (ux.md A4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from connections.constants import BindingState, ConnectionState, Verdict
from connections.models import Binding, Connection
from connections.selectors.record import Record
from connections.services import switching
from connections.services.handshake import approving, exchange, parting
from connections.views.common import record_url
from vaultadmin import clock
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.together import Asking

FIRST = "To establish this connection, download its connection file and upload it in the other Vault."
AGAIN = "Download a new connection file, use Connect from File with one of the other Vault, or delete this record."


@dataclass(frozen=True)
class NextStep:
    """`happened` at a time, with the words somebody gave; then `text`; `label` is the main button of those who may."""

    text: str = ""
    label: str = ""
    url: str = ""
    icon: str = ""
    tone: str = "info"
    happened: str = ""
    at: datetime | None = None
    comment: str = ""
    edit_label: str = ""
    edit_url: str = ""


def of(record: Record, member: Membership) -> Asking[NextStep]:
    """What this person reads on top of this record."""
    connection, binding = record.connection, record.open
    if connection.state == ConnectionState.INACTIVE:
        return _inactive(connection, member)
    if not connection.is_vault_to_vault:
        return NextStep()
    if binding is not None and binding.state == BindingState.APPROVING and not binding.local_verdict:
        return (yield from _verdict_needed(connection, binding, member))
    if binding is not None:
        waiting = "to answer" if binding.state == BindingState.PROPOSED else "to approve"
        return NextStep(f"Waiting for {binding.peer_name} {waiting}. This page goes on by itself.")
    if connection.state not in (ConnectionState.PENDING, ConnectionState.DISCONNECTED):
        return NextStep()
    if record.has_open_file(clock.now()):
        return NextStep("A connection file is out. Upload it in the other Vault with Connect from File.")
    return _not_established(record, member)


def _inactive(connection: Connection, member: Membership) -> NextStep:
    if not can(member, Permission.MANAGE_CONNECTIONS):
        return NextStep("This connection is Inactive: nothing is sent through it.")
    if refusal := switching.activate_refusal(connection):
        return NextStep(
            refusal, tone="warning", edit_label="Enter the URL", edit_url=record_url(connection, "edit-details")
        )
    text = "This connection is Inactive: nothing is sent through it."
    return NextStep(text, "Activate", record_url(connection, "activate"), "player-play")


def _verdict_needed(connection: Connection, binding: Binding, member: Membership) -> Asking[NextStep]:
    if refusal := (yield from approving.refusal_now(binding, member, now=clock.now())):
        return NextStep(f"An approval waits in this Vault. {refusal}")
    text = f"{binding.peer_name} asks to be connected. Your verdict is needed."
    return NextStep(text, "Complete", record_url(connection, "complete"), "clipboard-check")


def _not_established(record: Record, member: Membership) -> NextStep:
    """Never established, or not any more: what happened, and how it goes on."""
    connection, last = record.connection, record.last
    may = can(member, Permission.MANAGE_CONNECTIONS)
    if last is None:
        step = NextStep(FIRST if may else "This connection is not established yet.")
    elif last.ended_at is None:
        # It went on between two looks at the database; the page asks again by itself.
        return NextStep()
    elif last.end_reason == parting.RESET:
        step = replace(_past(last), text=_after_a_reset(connection, may))
    else:
        step = replace(_past(last), text=AGAIN if may else "")
    if not may:
        return step
    if not connection.remote_vault_id and can(member, Permission.CONNECTION_EDIT):
        step = replace(step, edit_label="Enter Remote Vault ID", edit_url=record_url(connection, "edit-details"))
    url = record_url(connection, "download")
    return replace(step, label="Download Connection File", url=url, icon="download")


def _after_a_reset(connection: Connection, may: bool) -> str:
    if not may or connection.remote_vault_id:
        return "Its record stays Active there until the two are bound again with a new connection file."
    return (
        "To establish it anew, enter the Remote Vault ID if you know the target Vault (both become Active at once) or "
        "leave it blank (both approve), then download the connection file."
    )


def _past(last: Binding) -> NextStep:
    """What became of the newest exchange, in words."""
    peer = f"{last.peer_name} (Vault {last.peer_vault_id})"
    by = f" by {last.ended_by}" if last.ended_by else ""
    where = "here" if last.local_verdict == Verdict.REJECT else f"in {peer}"
    happened, comment = {
        BindingState.REJECTED: (f"The request was rejected {where}{by}", last.local_comment or last.remote_comment),
        BindingState.WITHDRAWN: (f"The request to connect with {peer} was withdrawn{by}", last.end_reason),
        BindingState.LAPSED: (f"The request to connect with {peer} lapsed", last.end_reason),
        BindingState.REFUSED: (f"{peer} refused the connection file", last.end_reason),
        BindingState.ENDED: (f"The connection with {peer} was ended{by}", last.end_reason),
    }[BindingState(last.state)]
    said = "" if comment in exchange.PLAIN_ENDS else comment
    return NextStep(tone="warning", happened=happened, at=last.ended_at, comment=said)
