"""What a receipt holds, and how it is told from other messages: by an attribute, as the wire has no field. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from connections.spark.envelope import write_instant
from connections.spark.message import AttributeValue

RECEIPT_FOR: Final = "receipt_for__sys"


def write(
    *, message_id: UUID, queue_name: str, items: int, received_at: datetime, processed_at: datetime
) -> dict[str, AttributeValue]:
    """The attributes of the receipt for a message: which one, where it went, when, and nothing of what it held."""
    return {
        RECEIPT_FOR: str(message_id),
        "receipt_queue__sys": queue_name,
        "receipt_items__sys": items,
        "received_at__sys": write_instant(received_at),
        "processed_at__sys": write_instant(processed_at),
    }


def is_receipt(attributes: Mapping[str, Any]) -> bool:
    """Does a message say it is a receipt? Whoever says so by mistake gets no receipt, and nothing worse."""
    return RECEIPT_FOR in attributes


def receipt_for(attributes: Mapping[str, Any]) -> UUID | None:
    """The message a receipt is for; None when it names none."""
    try:
        return UUID(attributes[RECEIPT_FOR])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
