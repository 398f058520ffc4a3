"""What the apps know about their kinds of task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vaultadmin.models import Membership
from vaultadmin.models.task import Task
from vaultadmin.permissions import Permission, can
from vaultadmin.signing.services import Proof
from vaultadmin.together import Asking


@dataclass(frozen=True)
class Shown:
    """The page of the record, the dialog *Complete task*, and why this member cannot complete it, if they cannot."""

    url: str
    dialog: str
    refusal: str


@dataclass(frozen=True)
class Hand:
    """Somebody who asked for the matter of a task elsewhere or decided it there, `in_place` of somebody else or not."""

    user_id: int
    in_place: bool = False


class Handler(Protocol):
    """An app's meaning for one kind of task; `needs` are the permissions without which nobody can decide it."""

    needs: tuple[Permission, ...]

    def lock(self, task: Task) -> None:
        """Lock the app's row the task is about: before the task's own row, here and wherever a task is cancelled."""

    def verdicts(self, task: Task) -> list[tuple[str, str]]:
        """The verdicts a person can choose: (name, label)."""

    def refusal(self, task: Task, member: Membership) -> str:
        """Why this member may not complete the task, in one sentence; empty when they may."""

    def hands_elsewhere(self, tasks: Sequence[Task]) -> Asking[dict[int, set[Hand]]]:
        """By task id, who asked for or decided the same matter elsewhere, where it needs eyes of its own.

        Asks for all of them at once. Nobody's verdict counts for two pairs of eyes by way of a delegation.
        """

    def complete(
        self, task: Task, *, by: Membership, verdict: str, comment: str, proof: Proof | None, now: datetime
    ) -> None:
        """Carry the verdict out, signed with `proof` where it needs a signature; may raise VerdictRefused.

        `task.completed_for` says in whose place it was given. Runs inside the transaction that completes the task.
        """

    def shown(self, tasks: Sequence[Task], member: Membership) -> dict[int, Shown]:
        """By task id, how a list shows each of these tasks to the member; asks for all of them at once."""


_handlers: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    """Say what tasks of this kind mean. Apps call it in AppConfig.ready."""
    _handlers[kind] = handler


def missing_for(task: Task, member: Membership) -> Permission | None:
    """The first permission this member lacks to decide tasks of this kind, None when they hold all."""
    return next((needed for needed in handler_for(task).needs if not can(member, needed)), None)


def kinds_for(member: Membership) -> list[str]:
    """The kinds of task this member may decide."""
    return [kind for kind, handler in _handlers.items() if all(can(member, needed) for needed in handler.needs)]


def handler_for(task: Task) -> Handler:
    """The handler of a task's kind."""
    return _handlers[task.kind]
