"""Read the body of a Spark message strictly (veeva-core sections 6.2 and 6.4). Pure.

Order of keys and fractions of seconds are not relied on; keys we do not know are ignored, as the contract is not ours
alone. What is there must have its type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from connections.spark.message import MAX_BODY_BYTES, MessageRefused, check
from vaultadmin.strict_json import StrictJsonError, loads

# The body around attributes and items is small; a sender of another make may write more of it.
MAX_BYTES = MAX_BODY_BYTES + 16 * 1024


class BodyRefused(ValueError):
    """The body is no Spark message; one sentence for our own log."""


@dataclass(frozen=True)
class Received:
    """What a body says."""

    message_id: UUID
    queue_name: str
    vault_name: str
    attempt: int
    attributes: dict[str, Any]
    items: list[str]


def read_body(raw: bytes) -> Received:
    """The message of these bytes, or BodyRefused."""
    try:
        document = loads(raw, max_bytes=MAX_BYTES)
    except StrictJsonError as error:
        raise BodyRefused(str(error)) from error
    if not isinstance(document, dict) or not isinstance(message := document.get("message"), dict):
        raise BodyRefused("The body holds no message.")
    attributes, items = message.get("attributes", {}), message.get("items", [])
    if not isinstance(attributes, dict) or not isinstance(items, list):
        raise BodyRefused("Attributes are an object and items a list.")
    if not {str}.issuperset(map(type, items)):
        raise BodyRefused("Items are texts.")
    try:
        check({name: "" if value is None else value for name, value in attributes.items()}, items)
    except MessageRefused as error:
        raise BodyRefused(str(error)) from error
    return Received(
        message_id=_message_id(document),
        queue_name=_text(document, "queue_name"),
        vault_name=_text(document, "vault_name"),
        attempt=document["send_attempt"] if type(document.get("send_attempt")) is int else 1,
        attributes=attributes,
        items=items,
    )


def _message_id(document: dict[str, Any]) -> UUID:
    try:
        return UUID(document["message_id"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BodyRefused("The message id is missing or is none.") from error


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name, "")
    if not isinstance(value, str):
        raise BodyRefused(f"{name} is a text.")
    return value[:128]
