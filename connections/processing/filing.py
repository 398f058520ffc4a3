"""The processor that files messages where people read them."""

from __future__ import annotations

from datetime import datetime

from connections.models import FiledMessage
from connections.processors import Inbound, Processor
from vaultadmin.audit import Actor

NAME = "file_message__sys"


def file(inbound: Inbound, by: Actor, now: datetime) -> None:
    """Put a message among the vault's filed ones; one that was filed before, and is processed again, stays there."""
    FiledMessage.objects.get_or_create(message_id=inbound.row, defaults={"vault": inbound.vault, "filed_at": now})


PROCESSOR = Processor(
    label="File messages",
    description="Files every message under Filed messages, where people read it.",
    run=file,
)
