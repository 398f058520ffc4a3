"""What takes the messages of inbound queues, and what acts on final failures: registered by name (veeva-core 5.1).

A processor runs in one transaction with its message; when it raises, nothing of it stays and the message is tried
again. Messages it is quick about share a transaction and, should that fail, are processed again one by one: it may be
called more than once for a message, and what it writes is there once. It must not call the network: what it wants to
send it puts into a queue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from vaultadmin.audit import Actor
from vaultadmin.models import Vault


class CannotProcess(Exception):
    """A processor cannot do its work as things are; one sentence for people, without anything the message holds."""


@dataclass(frozen=True)
class Inbound:
    """A message as a processor gets it (veeva-core 5.2), and the row it is stored as.

    `connection_id` and the remote names are empty for Local.
    """

    row: int
    vault: Vault
    message_id: UUID
    attributes: dict[str, Any]
    items: list[str]
    queue_name: str
    connection_id: int | None
    remote_vault_id: int | None
    remote_queue_name: str
    is_receipt: bool
    received_at: datetime


@dataclass(frozen=True)
class Processor:
    """One kind of work on a message. `run` acts as `by`, at `now`."""

    label: str
    description: str
    run: Callable[[Inbound, Actor, datetime], None]


@dataclass(frozen=True)
class Handler:
    """What happens when a copy is given up: called with its id in the transaction that gives it up."""

    label: str
    description: str
    run: Callable[[UUID, Actor, datetime], None]


registered: dict[str, Processor] = {}
handlers: dict[str, Handler] = {}
