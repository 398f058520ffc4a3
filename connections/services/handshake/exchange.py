"""The steps of one exchange, shared by people's verbs, by answers, and by messages from the peer.

Every function here runs inside a transaction whose caller holds the connection's lock (see `lock`); each audits what
it did. Which step happens when two sides act at once is decided by the lock and by the state found under it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from connections import signed_json, six_words
from connections.constants import APPROVAL_TASK, BindingState, ConnectionState, Verdict
from connections.models import Binding, Connection, OutgoingPeerMessage
from connections.peering.messages import Body, MessageType, View
from connections.peering.protocol import write_body
from connections.selectors.foresight import plan_of
from connections.services.creating import AUDITED
from connections.services.handshake import files, parties, routes
from vaultadmin import audit
from vaultadmin.models import Membership, Signature, VaultSettings
from vaultadmin.services import api_sessions
from vaultadmin.signing import services as signing
from vaultadmin.worklist import services as worklist

_CLOSED = {
    BindingState.REJECTED: ("connection.rejected", "The request was rejected."),
    BindingState.WITHDRAWN: ("connection.withdrawn", "The request was withdrawn."),
    BindingState.LAPSED: ("connection.lapsed", "The request lapsed: nobody decided in time."),
    BindingState.REFUSED: ("connection.refused", "The other Vault refused the connection file."),
}
# Reasons nobody gave: what is said of an end when there was no comment.
PLAIN_ENDS = frozenset(sentence for _, sentence in _CLOSED.values())


def lock(binding_pk: int) -> Binding | None:
    """The binding with its connection, both locked in that order; None when it has gone."""
    found = Binding.objects.filter(pk=binding_pk).values_list("connection_id", flat=True).first()
    if found is None:
        return None
    connection = lock_connection(found)
    binding: Binding | None = Binding.objects.select_for_update().filter(pk=binding_pk).first()
    if connection is None or binding is None:
        return None
    binding.connection = connection
    return binding


def lock_connection(pk: int) -> Connection | None:
    """The connection, locked. Everything about a record is decided under this one lock."""
    connection: Connection | None = Connection.objects.select_for_update().filter(pk=pk).first()
    return connection


def peer_actor(binding: Binding) -> audit.System:
    """The peer as the audit trail names it."""
    return audit.System(f"Vault {binding.peer_vault_id} ({binding.peer_name})")


def post(binding: Binding, type_: MessageType, body: Body, *, now: datetime) -> OutgoingPeerMessage:
    """Write a message that is due; it is sent from this row until it is answered."""
    return OutgoingPeerMessage.objects.create(
        vault=binding.connection.vault,
        exchange=binding.exchange,
        binding=binding,
        type=type_.value,
        body=write_body(body),
        created_at=now,
        due_at=now,
        **routes.columns(binding, now=now),
    )


def fix_terms(binding: Binding) -> None:
    """Fix what an exchange begins with and keeps: the six words of both sides, when the peer's certificate ends, and
    when the exchange lapses here."""
    vault = binding.connection.vault
    ours = six_words.End(parties.party(vault), binding.own_certificate.pem)
    theirs = six_words.End(binding.peer, binding.peer_certificate_pem)
    binding.six_words = six_words.phrase(ours, theirs, file_sha256=binding.file_sha256)
    pinned = signed_json.read_certificate(binding.peer_certificate_pem)
    binding.peer_certificate_not_after = pinned.not_valid_after_utc
    binding.lapses_at = binding.requested_at + timedelta(days=VaultSettings.of(vault).request_days)


def version_of(binding: Binding) -> str:
    """The hash of the plan an approver agrees to; it changes when anything of it does."""
    return signing.version_of(plan_of(binding))


def accept(binding: Binding, *, by: audit.Actor, now: datetime) -> None:
    """Both sides know of the exchange and people must decide: put the task on this vault's list."""
    connection = binding.connection
    binding.accept()
    binding.save()
    move(connection, connection.await_approval, by, now, event="connection.approval_started")
    worklist.open_task(
        vault=connection.vault,
        kind=APPROVAL_TASK,
        subject=binding,
        title=f"Approve connection “{connection.name}” with {binding.peer_name}"[:255],
        by=by,
        now=now,
        requested_by=binding.requested_by,
        due_at=binding.lapses_at,
    )


def establish(binding: Binding, *, by: audit.Actor, now: datetime) -> None:
    """Agreed by both sides: this binding replaces the one in force and the record becomes Active."""
    connection = binding.connection
    for old in connection.bindings.in_force().exclude(pk=binding.pk):
        end(old, now, ended_by="", reason="Replaced by a newer connection file.")
    binding.enforce()
    binding.established_at, binding.agreed = now, plan_of(binding)
    binding.save()
    files.revoke_open(connection, by=by, now=now, reason="The connection was established.")
    worklist.cancel_tasks(
        subject=binding, vault=connection.vault, by=by, reason="The connection is established.", now=now
    )
    move(
        connection,
        connection.establish,
        by,
        now,
        event="connection.established",
        remote_vault_id=binding.peer_vault_id,
        remote_connection_id=binding.peer_connection_id,
        remote_vault_name=binding.peer_name,
        remote_vault_dns=binding.peer_dns,
        remote_domain=binding.peer_domain,
        remote_application=binding.peer_application,
    )


def approve_here(binding: Binding, *, by: Membership, comment: str, signature: Signature, now: datetime) -> None:
    """A person of this vault approved and signed."""
    _decide_here(binding, Verdict.APPROVE, by, comment, signature, now)
    connection = binding.connection
    move(connection, connection.approve, by, now, event="connection.approved", reason=comment)
    _establish_if_agreed(binding, by, now)


def approved_there(
    binding: Binding, *, who: str, at: datetime, comment: str = "", meaning: str = "", method: str = "", now: datetime
) -> None:
    """The other vault approved. Knowing that also means it took our file, should its answer have been lost."""
    by = peer_actor(binding)
    if binding.state == BindingState.PROPOSED:
        accept(binding, by=by, now=now)
    if binding.remote_verdict == Verdict.APPROVE and meaning and not binding.remote_meaning:
        # An answer's view told of the verdict before the message with its words came through.
        binding.remote_comment, binding.remote_meaning, binding.remote_method = comment, meaning, method
        binding.save()
    if binding.state != BindingState.APPROVING or binding.remote_verdict:
        return
    binding.remote_verdict, binding.remote_decided_by, binding.remote_decided_at = Verdict.APPROVE, who, at
    binding.remote_comment, binding.remote_meaning, binding.remote_method = comment, meaning, method
    binding.save()
    changes: audit.Changes = {"Remote verdict": (None, Verdict.APPROVE.label), "Remote approver": (None, who)}
    audit.record(
        vault=binding.connection.vault,
        by=by,
        event="connection.approved_remotely",
        subject=binding.connection,
        changes=changes,
    )
    _establish_if_agreed(binding, by, now)


def reject_here(binding: Binding, *, by: Membership, comment: str, signature: Signature, now: datetime) -> None:
    """A person of this vault rejected and signed."""
    _decide_here(binding, Verdict.REJECT, by, comment, signature, now)
    close(binding, BindingState.REJECTED, by=by, who=by.user.name, reason=comment, now=now)


def close(binding: Binding, state: BindingState, *, by: audit.Actor, who: str, now: datetime, reason: str = "") -> None:
    """End an open binding: rejected, withdrawn or lapsed on either side, or refused by the source.

    Once people were asked, the record goes back to Pending and an older binding ends with it (veeva-core 2.3); a file
    the source never took changes nothing.
    """
    connection = binding.connection
    was_approving = binding.state == BindingState.APPROVING
    moves: dict[BindingState, Callable[[], None]] = {
        BindingState.REJECTED: binding.reject,
        BindingState.WITHDRAWN: binding.withdraw,
        BindingState.LAPSED: binding.lapse,
        BindingState.REFUSED: binding.refuse,
    }
    moves[state]()
    event, sentence = _CLOSED[state]
    binding.ended_at, binding.ended_by, binding.end_reason = now, who[:128], (reason or sentence)[:255]
    binding.save()
    worklist.cancel_tasks(subject=binding, vault=connection.vault, by=by, reason=sentence, now=now)
    if was_approving:
        for old in connection.bindings.in_force():
            end(old, now, ended_by=who, reason=sentence)
        move(connection, connection.give_up, by, now, event=event, reason=reason, remote_connection_id="")
    else:
        audit.record(vault=connection.vault, by=by, event=event, subject=connection, reason=reason)


def closed_there(
    binding: Binding,
    state: BindingState,
    *,
    who: str,
    at: datetime,
    comment: str,
    meaning: str = "",
    method: str = "",
    now: datetime,
) -> None:
    """The other vault rejected, withdrew or let it lapse, before or just after this side thought it was agreed."""
    by = peer_actor(binding)
    if binding.state == BindingState.IN_FORCE:
        end(binding, now, ended_by=who, reason=_CLOSED[state][1])
        connection = binding.connection
        if connection.state in (ConnectionState.ACTIVE, ConnectionState.INACTIVE):
            move(connection, connection.disconnect, by, now, event="connection.disconnected", reason=comment)
        return
    if not binding.is_open:
        return
    if state == BindingState.REJECTED:
        binding.remote_verdict, binding.remote_decided_by, binding.remote_decided_at = Verdict.REJECT, who, at
        binding.remote_comment, binding.remote_meaning, binding.remote_method = comment, meaning, method
        if binding.local_verdict == Verdict.APPROVE:
            worklist.overturned(subject=binding, vault=binding.connection.vault, now=now)
    close(binding, state, by=by, who=who, reason=comment, now=now)


def apply_view(binding: Binding, view: View, *, now: datetime) -> None:
    """Bring this side up to date with how the other side sees the exchange."""
    state = BindingState(view.state)
    if state in (BindingState.REJECTED, BindingState.WITHDRAWN, BindingState.LAPSED):
        closed_there(binding, state, who=view.decided_by, at=view.decided_at or now, comment="", now=now)
    elif state in (BindingState.ENDED, BindingState.REFUSED) and binding.is_open:
        closed_there(binding, BindingState.WITHDRAWN, who=view.decided_by, at=now, comment="", now=now)
    elif binding.needs_approval and view.decided_at and state in (BindingState.APPROVING, BindingState.IN_FORCE):
        approved_there(binding, who=view.decided_by, at=view.decided_at, now=now)


def _establish_if_agreed(binding: Binding, by: audit.Actor, now: datetime) -> None:
    if binding.both_approved:
        establish(binding, by=by, now=now)


def _decide_here(
    binding: Binding, verdict: Verdict, by: Membership, comment: str, signature: Signature, now: datetime
) -> None:
    binding.local_verdict, binding.local_decided_by, binding.local_decided_at = verdict, by, now
    binding.local_comment, binding.local_version = comment, signature.version
    binding.local_signature = signature
    binding.save()


def end(binding: Binding, now: datetime, *, ended_by: str, reason: str) -> None:
    """End a binding in force; what becomes of its record is the caller's."""
    binding.end()
    binding.ended_at, binding.ended_by, binding.end_reason = now, ended_by[:128], reason[:255]
    binding.save()


def move(
    connection: Connection,
    transition: Callable[[], None],
    by: audit.Actor,
    now: datetime,
    *,
    event: str,
    reason: str = "",
    **fields: Any,
) -> None:
    """Make one transition of the record, with fields that change along, and audit it.

    A record that stops being Active ends the API sessions made for it: they do not wake up when it is Active again.
    """
    before = audit.snapshot(connection, AUDITED)
    was_active = connection.state == ConnectionState.ACTIVE
    transition()
    if was_active and connection.state != ConnectionState.ACTIVE:
        api_sessions.end_of_connection(vault_id=connection.vault_id, connection_id=connection.pk, now=now)
    for name, value in fields.items():
        setattr(connection, name, value)
    connection.modified_at = now
    connection.save()
    changes = audit.diff(before, connection, AUDITED)
    audit.record(vault=connection.vault, by=by, event=event, subject=connection, changes=changes, reason=reason)
