"""Who holds a task: its assignee for as long as they may decide it, otherwise everybody who may.

While an assignee's approvals are lent, the one who has them may decide in their place (`Standing`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from vaultadmin.models import Delegation, Membership, Vault, VaultSettings
from vaultadmin.models.task import Task
from vaultadmin.together import Asking, answer, rows_of, together
from vaultadmin.worklist.registry import Hand, handler_for, missing_for

_TWICE = "You had a hand in this in the other Vault, so another pair of eyes has to decide here."


def own_requests_allowed(vault: Vault) -> bool:
    """May a requester decide their own request here? Only in a sandbox, and only where its settings say so."""
    return vault.is_sandbox and VaultSettings.of(vault).own_requests


def holder(task: Task) -> Membership | None:
    """The assignee, unless they may not decide the task any more; None means that it is available to everybody."""
    member = task.assigned_to
    if not task.is_open or member is None or assignee_refusal(task, member):
        return None
    return member


class Standing:
    """A member before some tasks at a moment: which they may decide, and in whose place.

    Asks for the member's delegations, unless it is given them, and for who had a hand in these matters elsewhere, once
    for all the tasks.
    """

    def __init__(
        self, member: Membership, tasks: Sequence[Task], *, now: datetime, lent: Iterable[Delegation] | None = None
    ) -> None:
        self._member, self._tasks, self._now = member, tasks, now
        if lent is not None:
            self.lent = _by_giver(lent)

    def asked(self) -> Asking[Standing]:
        """Itself with everything asked for already, together with other questions of a page."""
        asked: list[Asking[Any]] = [rows_of(lent_to(self._member, now=self._now)), self._ask_for_hands()]
        rows, self._hands = yield from together(asked)
        self.lent = _by_giver(rows)
        return self

    @cached_property
    def lent(self) -> dict[int, Delegation]:
        """By the giver's membership, the delegations this member has in force."""
        return _by_giver(lent_to(self._member, now=self._now))

    def delegation(self, task: Task) -> Delegation | None:
        """The delegation under which this member would decide the task; None when they decide as themselves."""
        held_by = holder(task)
        if held_by is None or held_by.pk == self._member.pk:
            return None
        return self.lent.get(held_by.pk)

    def place(self, task: Task) -> Membership | None:
        """The member in whose place this one would decide; None when they decide as themselves."""
        return holder(task) if self.delegation(task) else None

    def is_kept_from(self, task: Task) -> bool:
        """Is the task somebody else's, who has not lent it?"""
        held_by = holder(task)
        return held_by is not None and held_by.pk != self._member.pk and held_by.pk not in self.lent

    def refusal(self, task: Task) -> str:
        """Why this member may not decide the task, in one sentence; what the app refuses comes beside this."""
        if self.is_kept_from(task):
            return f"Assigned to {holder(task)}. Reassign it on the page Tasks if somebody else has to decide."
        giver = self.place(task)
        mine = {hand for hand in self._hands.get(task.pk, ()) if hand.user_id == self._member.user_id}
        if giver is None:
            return _TWICE if any(hand.in_place for hand in mine) else ""
        requester = task.requested_by.user_id if task.requested_by else None
        if requester == self._member.user_id:
            return "You made this request, so you cannot decide it in somebody's place either."
        if requester == giver.user_id:
            return f"{giver} made this request, so nobody decides it in their place."
        return assignee_refusal(task, self._member) or (_TWICE if mine else "")

    @cached_property
    def _hands(self) -> dict[int, set[Hand]]:
        return answer(self._ask_for_hands())

    def _ask_for_hands(self) -> Asking[dict[int, set[Hand]]]:
        kinds: dict[str, list[Task]] = defaultdict(list)
        for task in self._tasks:
            if task.is_open:
                kinds[task.kind].append(task)
        found = yield from together([handler_for(rows[0]).hands_elsewhere(rows) for rows in kinds.values()])
        return {number: hands for each in found for number, hands in each.items()}


def lent_to(member: Membership, *, now: datetime) -> QuerySet[Delegation]:
    """The delegations a member has from others at a moment."""
    return Delegation.objects.in_force(now).filter(to_member=member.pk, vault=member.vault_id)


def _by_giver(rows: Iterable[Delegation]) -> dict[int, Delegation]:
    return {row.from_member_id: row for row in rows}


def receiver(task: Task, *, now: datetime) -> Membership | None:
    """Who may decide an assigned task in its assignee's place at this moment."""
    return answer(receiving(task, now=now))


def receiving(task: Task, *, now: datetime) -> Asking[Membership | None]:
    """The same, asked together with other questions of a page."""
    held_by = holder(task)
    if held_by is None:
        return None
    rows = Delegation.objects.in_force(now).filter(from_member=held_by.pk)
    people = ("to_member__user", "to_member__vault", "to_member__profile")
    (found,) = yield (rows.select_related(*people).order_by("pk")[:1],)
    row = next(iter(found), None)
    return row.to_member if row is not None and not assignee_refusal(task, row.to_member) else None


def assignee_refusal(task: Task, member: Membership) -> str:
    """Why the task cannot be given to this member, in one sentence; empty when it can."""
    if member.vault_id != task.vault_id:
        return "A task can only be assigned to a member of its own Vault."
    if member.user.is_system:
        return f"{member} is an account of the product itself and decides nothing."
    if missing := missing_for(task, member):
        return f"{member} is not active here, or their security profile does not include “{missing.label}”."
    requester = task.requested_by
    if requester and requester.user_id == member.user_id and not own_requests_allowed(task.vault):
        return f"{member} made this request, so somebody else has to decide it."
    return ""


def candidates(task: Task) -> list[Membership]:
    """Everybody the task can be given to, by name."""
    members = Membership.objects.for_request().filter(vault=task.vault_id, is_active=True, user__is_active=True)
    return [member for member in members if not assignee_refusal(task, member)]
