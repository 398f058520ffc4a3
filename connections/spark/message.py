"""What a message may hold, and why one cannot enter a queue (veeva-core section 5.2). Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

from connections import tokens
from connections.tokens import Family, TokenRefused

MAX_ITEMS: Final = 500
MAX_ITEM_LENGTH: Final = 100
MAX_ATTRIBUTES: Final = 50
MAX_NAME_LENGTH: Final = 128
MAX_VALUE_LENGTH: Final = 1_500
MAX_BODY_BYTES: Final = 256 * 1024
MAX_PATH_LENGTH: Final = 500
# Messages a queue can hold, copies counted singly.
CAPACITY: Final = 20_000

AttributeValue: TypeAlias = str | bool | int | float | Decimal

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")
_PATH: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")
_UNSENDABLE: Final = re.compile("[\x00\ud800-\udfff]")
_LARGEST: Final = 2**53


class PutError(StrEnum):
    """Why a put was refused, for programs."""

    QUEUE_UNKNOWN = "QUEUE_UNKNOWN"
    QUEUE_INACTIVE = "QUEUE_INACTIVE"
    QUEUE_FULL = "QUEUE_FULL"
    QUEUE_WRONG_TYPE = "QUEUE_WRONG_TYPE"
    NO_ACTIVE_CONNECTION = "NO_ACTIVE_CONNECTION"
    TOO_MANY_ITEMS = "TOO_MANY_ITEMS"
    ITEM_TOO_LONG = "ITEM_TOO_LONG"
    INVALID_MESSAGE = "INVALID_MESSAGE"
    BAD_TOKEN = "BAD_TOKEN"
    BAD_PATH = "BAD_PATH"


class MessageRefused(ValueError):
    """The message cannot enter a queue: a code for programs, one sentence for people."""

    def __init__(self, error: PutError, sentence: str) -> None:
        super().__init__(sentence)
        self.error = error


def check(attributes: Mapping[str, AttributeValue], items: Sequence[str]) -> None:
    """Judge a message by the limits of veeva-core 5.2; MessageRefused names the first that is passed."""
    if len(items) > MAX_ITEMS:
        sentence = f"A message can have at most {MAX_ITEMS} items; this one has {len(items):,}."
        raise MessageRefused(PutError.TOO_MANY_ITEMS, sentence)
    if max(map(len, items), default=0) > MAX_ITEM_LENGTH or not _is_text("".join(items)):
        for number, item in enumerate(items, start=1):
            _check_item(number, item)
    if len(attributes) > MAX_ATTRIBUTES:
        sentence = f"A message can have at most {MAX_ATTRIBUTES} attributes; this one has {len(attributes):,}."
        raise MessageRefused(PutError.INVALID_MESSAGE, sentence)
    for name, value in attributes.items():
        _check_attribute(name, value)
    if _largest(attributes, items) > MAX_BODY_BYTES and size(attributes, items) > MAX_BODY_BYTES:
        sentence = f"A message can have at most {MAX_BODY_BYTES // 1024} KiB."
        raise MessageRefused(PutError.INVALID_MESSAGE, sentence)


def size(attributes: Mapping[str, AttributeValue], items: Sequence[str]) -> int:
    """How many bytes attributes and items have on the wire, tokens unresolved."""
    return len(write_payload(attributes, items).encode())


def write_payload(attributes: Mapping[str, AttributeValue], items: Sequence[str]) -> str:
    """The `message` part of a Spark body as JSON text: types and order as they were put, nothing turned into text."""
    document = {"attributes": plain(attributes), "items": list(items)}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def plain(values: Mapping[str, AttributeValue]) -> dict[str, str | bool | int | float]:
    """The values as JSON knows them."""
    return {name: _plain(value) for name, value in values.items()}


def check_custom(values: Mapping[str, AttributeValue]) -> None:
    """Judge what `${Custom.…}` stands for: texts, numbers and Booleans that an attribute could hold, too."""
    if len(values) > MAX_ATTRIBUTES:
        sentence = f"At most {MAX_ATTRIBUTES} values can be given for tokens; these are {len(values):,}."
        raise MessageRefused(PutError.BAD_TOKEN, sentence)
    for name, value in values.items():
        is_text = isinstance(value, str) and len(value) <= MAX_VALUE_LENGTH and _is_text(value)
        if not _NAME.fullmatch(name) or not (is_text or isinstance(value, bool) or _is_number(value)):
            length = f"{MAX_VALUE_LENGTH:,}"
            sentence = f"${{Custom.{name[:40]}}} needs a text of at most {length} characters, a number or a Boolean."
            raise MessageRefused(PutError.BAD_TOKEN, sentence)


def check_path(path: str) -> None:
    """Judge what a put appends to an External connection's URL; empty appends nothing."""
    if not path:
        return
    if len(path) > MAX_PATH_LENGTH:
        raise MessageRefused(PutError.BAD_PATH, f"A path can have at most {MAX_PATH_LENGTH} characters.")
    if not path.startswith("/") or not _PATH.fullmatch(path) or ".." in path.partition("?")[0].split("/"):
        sentence = "A path begins with a slash (/), holds only characters of URLs, and leads no step up."
        raise MessageRefused(PutError.BAD_PATH, sentence)


def _largest(attributes: Mapping[str, AttributeValue], items: Sequence[str]) -> int:
    """More bytes than these can have on the wire, without writing them: a character is never more than six."""
    texts = (*items, *attributes, *(value for value in attributes.values() if isinstance(value, str)))
    return 6 * sum(map(len, texts)) + 40 * (len(items) + 2 * len(attributes) + 2)


def _check_item(number: int, item: str) -> None:
    if len(item) > MAX_ITEM_LENGTH:
        sentence = f"An item can have at most {MAX_ITEM_LENGTH} characters; item {number} has {len(item):,}."
        raise MessageRefused(PutError.ITEM_TOO_LONG, sentence)
    if not _is_text(item):
        raise MessageRefused(PutError.INVALID_MESSAGE, f"Item {number} holds characters that cannot be sent.")


def _check_attribute(name: str, value: AttributeValue) -> None:
    if len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        sentence = (
            f"An attribute name has at most {MAX_NAME_LENGTH} letters, digits and . _ : - characters; "
            f"“{name[:40]}” is none."
        )
        raise MessageRefused(PutError.INVALID_MESSAGE, sentence)
    if isinstance(value, str):
        _check_text(name, value)
    elif not isinstance(value, bool) and not _is_number(value):
        raise MessageRefused(PutError.INVALID_MESSAGE, f"The attribute “{name}” is no text, number or Boolean.")


def _check_text(name: str, value: str) -> None:
    if len(value) > MAX_VALUE_LENGTH:
        sentence = f"An attribute can have at most {MAX_VALUE_LENGTH:,} characters; “{name}” has {len(value):,}."
        raise MessageRefused(PutError.INVALID_MESSAGE, sentence)
    if not _is_text(value):
        raise MessageRefused(PutError.INVALID_MESSAGE, f"The attribute “{name}” holds characters that cannot be sent.")
    try:
        found = tokens.find(value)
    except TokenRefused as error:
        raise MessageRefused(PutError.BAD_TOKEN, f"The attribute “{name}”: {error}") from error
    for token in found:
        if token.family is None:
            sentence = f"The attribute “{name}”: {token.text} names no family of tokens."
            raise MessageRefused(PutError.BAD_TOKEN, sentence)
        if token.family is Family.AUTH and token.text != value:
            # A secret beside other text would be masked in part only.
            sentence = f"The attribute “{name}”: {token.text} must stand alone."
            raise MessageRefused(PutError.BAD_TOKEN, sentence)


def _plain(value: AttributeValue) -> str | bool | int | float:
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and math.isfinite(value) and abs(float(value)) <= _LARGEST


def _is_text(value: str) -> bool:
    """PostgreSQL keeps no NUL, UTF-8 no half of a surrogate pair."""
    return _UNSENDABLE.search(value) is None
