"""What a Vault token may be called and what its value may be, type by type. Pure; one sentence per refusal."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from connections.constants import TokenType
from connections.rules import RuleBroken
from connections.tokens import RESERVED_NAMES

NAME_LENGTH = 40
LABEL_LENGTH = 60
VALUE_LENGTH = 255
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}(Z|[+-][0-9]{2}:?[0-9]{2})")


def check_name(name: str) -> None:
    """A letter, then letters, digits and underscores; not the name of a system token."""
    if len(name) > NAME_LENGTH or not _NAME.fullmatch(name):
        raise RuleBroken(
            "Name begins with a letter, goes on with letters, digits and underscores (_), and has at most "
            f"{NAME_LENGTH} characters."
        )
    if name.lower() in RESERVED_NAMES:
        raise RuleBroken(f"The name “{name}” belongs to a system token; choose another one.")


def is_name(name: str) -> bool:
    """Is this a name a vault can give to a token?"""
    try:
        check_name(name)
    except RuleBroken:
        return False
    return True


def canonical(type_: str, value: str) -> str:
    """The value as it is kept, or RuleBroken. An empty one is allowed: the token then has no value."""
    value = value.strip()
    if len(value) > VALUE_LENGTH:
        raise RuleBroken(f"Value can have at most {VALUE_LENGTH} characters.")
    written = _WRITTEN[TokenType(type_)](value) if value else ""
    if len(written) > VALUE_LENGTH:
        raise RuleBroken(f"Value can have at most {VALUE_LENGTH} characters.")
    return written


def _string(value: str) -> str:
    if not value.isprintable():
        raise RuleBroken("Value must be one line without control characters.")
    return value


def _boolean(value: str) -> str:
    if value.lower() not in ("true", "false"):
        raise RuleBroken("A Boolean value is true or false.")
    return value.lower()


def _number(value: str) -> str:
    if not _NUMBER.fullmatch(value):
        raise RuleBroken("A Number value is written with digits and at most one decimal point, for example 12.5.")
    return value


def _date(value: str) -> str:
    try:
        if _DATE.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise RuleBroken("A Date value is a day that exists, written YYYY-MM-DD.")


def _datetime(value: str) -> str:
    try:
        if _DATETIME.fullmatch(value):
            moment = datetime.fromisoformat(value).astimezone(UTC)
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        pass
    raise RuleBroken("A Datetime value is a moment with its zone, written 2026-05-14T08:30:00Z.")


def _list(value: str) -> str:
    items = [_string(item.strip()) for item in value.split(",")]
    if not all(items):
        raise RuleBroken("A list holds strings with commas between them, none of them empty.")
    return ",".join(items)


_WRITTEN: dict[TokenType, Callable[[str], str]] = {
    TokenType.STRING: _string,
    TokenType.BOOLEAN: _boolean,
    TokenType.NUMBER: _number,
    TokenType.DATE: _date,
    TokenType.DATETIME: _datetime,
    TokenType.LIST: _list,
}
