"""Withdraw a request to establish a connection."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from connections.constants import BindingState
from connections.models import Binding
from connections.peering.messages import Decision, MessageType
from connections.services.handshake import delivering, exchange
from connections.services.refusals import Refused
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure


def withdraw_refusal(binding: Binding | None, member: Membership) -> str:
    """Why this member cannot withdraw, in one sentence; empty when they can."""
    if binding is None or not binding.is_open:
        return "No request to establish this connection is running."
    if binding.requested_by.user_id == member.user_id or needs_reason(binding, member):
        return ""
    return f"Only {binding.requested_by.user.name}, who made the request, can withdraw it."


def needs_reason(binding: Binding, member: Membership) -> bool:
    """Would this member withdraw somebody else's request? They may once that person has left the vault, and say why."""
    requester = binding.requested_by
    return requester.user_id != member.user_id and not (requester.is_active and requester.user.is_active)


def withdraw(*, binding: Binding, by: Membership, now: datetime, reason: str = "") -> Binding:
    """Take the request back; the tasks of both vaults are cancelled."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    with transaction.atomic():
        locked = exchange.lock(binding.pk)
        if locked is None or locked.connection.vault_id != by.vault_id:
            raise Refused("This request is gone.")
        if refusal := withdraw_refusal(locked, by):
            raise Refused(refusal)
        if needs_reason(locked, by) and not reason.strip():
            raise Refused("Say why you withdraw the request of somebody who has left this Vault.", field="reason")
        who = by.user.name
        exchange.close(locked, BindingState.WITHDRAWN, by=by, who=who, reason=reason, now=now)
        message = exchange.post(locked, MessageType.WITHDRAW, Decision(locked.exchange, who, now, reason), now=now)
        transaction.on_commit(partial(delivering.deliver_one, message.pk, now=now), robust=True)
    return locked
