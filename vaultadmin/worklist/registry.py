"""What the apps know about their kinds of task."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from vaultadmin.models import Membership
from vaultadmin.models.task import Task


class Handler(Protocol):
    """An app's meaning for one kind of task."""

    def lock(self, task: Task) -> None:
        """Lock the app's row the task is about: before the task's own row, here and wherever a task is cancelled."""

    def verdicts(self, task: Task) -> list[tuple[str, str]]:
        """The verdicts a person can choose: (name, label)."""

    def refusal(self, task: Task, member: Membership) -> str:
        """Why this member may not complete the task, in one sentence; empty when they may."""

    def complete(self, task: Task, *, by: Membership, verdict: str, comment: str, now: datetime) -> None:
        """Carry the verdict out. Runs inside the transaction that completes the task; may raise VerdictRefused."""

    def url(self, task: Task) -> str:
        """The page of the record the task is about."""

    def dialog(self, task: Task) -> str:
        """The address of the dialog *Complete task*, where the person sees what they decide."""


_handlers: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    """Say what tasks of this kind mean. Apps call it in AppConfig.ready."""
    _handlers[kind] = handler


def handler_for(task: Task) -> Handler:
    """The handler of a task's kind."""
    return _handlers[task.kind]
