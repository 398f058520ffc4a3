"""Read the fields of a strict JSON object into Python values: exact set of keys, exact types, bounded sizes. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
MAX_VAULT_ID = 2**63 - 1


class ShapeError(ValueError):
    """A field is missing, unknown or of the wrong kind; the sentence names it."""


class Fields:
    """One JSON object whose keys must be exactly `names`; those of `optional` may be missing."""

    def __init__(self, value: Any, names: Collection[str], where: str = "", *, optional: Collection[str] = ()) -> None:
        if not isinstance(value, dict):
            raise ShapeError(f"“{where}” is not an object.")
        self._value, self._where = value, where
        if missing := sorted(set(names) - value.keys()):
            raise ShapeError(f"“{self._path(missing[0])}” is missing.")
        if unknown := sorted(value.keys() - {*names, *optional}):
            raise ShapeError(f"“{self._path(unknown[0])[:80]}” is not a known field.")

    def section(self, name: str, names: Collection[str], *, optional: Collection[str] = ()) -> Fields:
        """A nested object."""
        return Fields(self._value[name], names, self._path(name), optional=optional)

    def text(self, name: str, *, longest: int = 255, lines: bool = False) -> str:
        """A string up to `longest` characters; control characters only where line breaks are meant."""
        value = self._value[name]
        if not isinstance(value, str) or len(value) > longest or (not lines and _CONTROL.search(value)):
            raise ShapeError(f"“{self._path(name)}” is not a text of at most {longest} characters.")
        return value

    def text_or_empty(self, name: str, *, longest: int = 255) -> str:
        """A string that may be missing."""
        return self.text(name, longest=longest) if name in self._value else ""

    def filled(self, name: str, *, longest: int = 255) -> str:
        """A string that is not blank."""
        value = self.text(name, longest=longest)
        if not value.strip():
            raise ShapeError(f"“{self._path(name)}” is empty.")
        return value

    def number(self, name: str, *, least: int = 1) -> int:
        """A whole number; true and 1.0 are not numbers here."""
        value = self._value[name]
        if type(value) is not int or not least <= value <= MAX_VAULT_ID:
            raise ShapeError(f"“{self._path(name)}” is not a whole number.")
        return value

    def number_or_none(self, name: str) -> int | None:
        """A whole number or null."""
        return None if self._value[name] is None else self.number(name)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._value[name]
        if not isinstance(value, bool):
            raise ShapeError(f"“{self._path(name)}” is neither true nor false.")
        return value

    def uuid(self, name: str) -> UUID:
        """A UUID in its one canonical writing."""
        value = self.text(name)
        try:
            found = UUID(value)
        except ValueError as error:
            raise ShapeError(f"“{self._path(name)}” is not a UUID.") from error
        if str(found) != value:
            raise ShapeError(f"“{self._path(name)}” is not a UUID in lowercase with hyphens.")
        return found

    def moment(self, name: str) -> datetime:
        """A UTC time to the second, written `2026-05-14T09:30:00Z`."""
        value = self.text(name)
        try:
            return parse_moment(value)
        except ValueError as error:
            raise ShapeError(f"“{self._path(name)}” is not a UTC time.") from error

    def octets(self, name: str, *, size: int) -> bytes:
        """Exactly `size` bytes in base64."""
        try:
            value = read_base64(self.text(name))
        except ValueError as error:
            raise ShapeError(f"“{self._path(name)}” is not base64.") from error
        if len(value) != size:
            raise ShapeError(f"“{self._path(name)}” does not hold {size} bytes.")
        return value

    def raw(self, name: str) -> Any:
        """A value as it stands, for a caller that judges it itself."""
        return self._value[name]

    def _path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name


def parse_moment(value: str) -> datetime:
    """The time of `2026-05-14T09:30:00Z`; ValueError for anything else."""
    if not _MOMENT.fullmatch(value):
        raise ValueError("not a UTC time")
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def write_moment(value: datetime) -> str:
    """A UTC time to the second; fractions are cut off."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_base64(value: bytes) -> str:
    """Bytes in base64."""
    return base64.b64encode(value).decode("ascii")


def read_base64(text: str) -> bytes:
    """The bytes of a base64 text in its one standard writing; ValueError for anything else.

    Spare bits in the last character would let two texts mean the same bytes, and a changed file still verify.
    """
    value = base64.b64decode(text, validate=True)
    if write_base64(value) != text:
        raise ValueError("not in the standard writing")
    return value
