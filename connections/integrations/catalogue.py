"""The standard connections as we ship them: one YAML file each in `standard/`, read once and judged strictly. Pure.

A file that breaks a rule stops the start rather than making records nobody meant: unknown and duplicate keys, names
that are too long or written wrong, points on a side the connection does not have.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from connections import rules
from connections.shape import Fields, ShapeError
from vaultadmin.applications import Application

FOLDER = Path(__file__).parent / "standard"
_STATUS = {"active__v": True, "inactive__v": False}
_DIRECTIONS = ("outbound", "inbound")
_MOST_INSTANCES = 9


class CatalogueError(ValueError):
    """A shipped file is wrong; the sentence names the file and the place."""


@dataclass(frozen=True)
class Point:
    """One integration point on one side."""

    api_name: str
    label: str
    application: str
    outbound: bool
    order: int


@dataclass(frozen=True)
class Integration:
    """One integration; both sides have a record of it, each with its own points."""

    api_name: str
    label: str
    active: bool
    points: tuple[Point, ...]

    def points_of(self, application: str) -> tuple[Point, ...]:
        """The points of one side, in processing order."""
        return tuple(sorted((p for p in self.points if p.application == application), key=lambda p: p.order))


@dataclass(frozen=True)
class Side:
    """What the connection is called in the vaults of one application, and how many such a vault may have."""

    application: str
    api_name: str
    label: str
    instances: int


@dataclass(frozen=True)
class StandardConnection:
    """One standard connection between the vaults of two applications."""

    key: str
    description: str
    sides: tuple[Side, Side]
    integrations: tuple[Integration, ...]

    def side_of(self, application: str) -> Side | None:
        """The side a vault of this application is on; None when it takes no part."""
        return next((side for side in self.sides if side.application == application), None)

    def other_side(self, application: str) -> Side:
        """The side at the far end, seen from a vault of this application."""
        return next(side for side in self.sides if side.application != application)


@lru_cache(maxsize=1)
def standard_connections() -> tuple[StandardConnection, ...]:
    """Every standard connection, by key; read once per process."""
    return load(sorted(FOLDER.glob("*.yaml")))


def find(key: str) -> StandardConnection | None:
    """The standard connection with this key."""
    return next((entry for entry in standard_connections() if entry.key == key), None)


def for_application(application: str) -> tuple[StandardConnection, ...]:
    """Those a vault of this application takes part in."""
    return tuple(entry for entry in standard_connections() if entry.side_of(application))


def load(files: Iterable[Path]) -> tuple[StandardConnection, ...]:
    """Read and judge some files, alone and together; CatalogueError names the first thing wrong."""
    entries = tuple(_read_file(file) for file in files)
    for application in Application.values:
        _check_one_vault(application, entries)
    return entries


def parse(text: str, *, key: str) -> StandardConnection:
    """One file's text; `key` is the file's name, which the content must repeat. Raises ShapeError."""
    try:
        # A SafeLoader, made stricter.
        document = yaml.load(text, Loader=_StrictLoader)  # nosec B506
    except yaml.YAMLError as error:
        raise ShapeError(f"It is not YAML as we write it: {' '.join(str(error).split())}") from error
    top = Fields(document, ("connection", "sides", "integrations"))
    about = top.section("connection", ("key", "description"))
    if about.filled("key", longest=64) != key:
        raise ShapeError(f"The key is not the file's name “{key}”.")
    sides = [_side(item, place) for place, item in _items(top, "sides")]
    if len(sides) != 2 or sides[0].application == sides[1].application:
        raise ShapeError("“sides” are not two different applications.")
    applications = {side.application for side in sides}
    return StandardConnection(
        key=key,
        description=about.filled("description", longest=2000),
        sides=(sides[0], sides[1]),
        integrations=tuple(_integration(item, place, applications) for place, item in _items(top, "integrations")),
    )


class _StrictLoader(yaml.SafeLoader):
    """Plain data only, and every key once: the last of two would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping, unless a key comes twice."""
        keys = [self.construct_object(key, deep=True) for key, _value in node.value]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key!r}", node.start_mark)
        return super().construct_mapping(node, deep)


def _read_file(file: Path) -> StandardConnection:
    try:
        return parse(file.read_text(encoding="utf-8"), key=file.stem)
    except ShapeError as error:
        raise CatalogueError(f"{file.name}: {error}") from error


def _items(fields: Fields, name: str) -> list[tuple[str, Any]]:
    value = fields.raw(name)
    if not isinstance(value, list) or not value:
        raise ShapeError(f"“{name}” is not a list with entries.")
    return [(f"{name}[{number}]", item) for number, item in enumerate(value)]


def _side(item: Any, place: str) -> Side:
    fields = Fields(item, ("app", "api_name", "label", "instances"), place)
    instances = fields.number("instances")
    if instances > _MOST_INSTANCES:
        raise ShapeError(f"“{place}.instances” is more than {_MOST_INSTANCES}.")
    return Side(
        application=_one_of(fields, "app", Application.values, place),
        api_name=_api_name(fields, place),
        label=fields.filled("label", longest=128),
        instances=instances,
    )


def _integration(item: Any, place: str, applications: set[str]) -> Integration:
    fields = Fields(item, ("api_name", "label", "default_status", "points"), place)
    return Integration(
        api_name=_api_name(fields, place),
        label=fields.filled("label", longest=128),
        active=_STATUS[_one_of(fields, "default_status", _STATUS, place)],
        points=tuple(_point(point, f"{place}.{where}", applications) for where, point in _items(fields, "points")),
    )


def _point(item: Any, place: str, applications: set[str]) -> Point:
    fields = Fields(item, ("api_name", "label", "side", "direction", "order"), place)
    return Point(
        api_name=_api_name(fields, place),
        label=fields.filled("label", longest=128),
        application=_one_of(fields, "side", applications, place),
        outbound=_one_of(fields, "direction", _DIRECTIONS, place) == "outbound",
        order=fields.number("order"),
    )


def _api_name(fields: Fields, place: str) -> str:
    name = fields.filled("api_name", longest=rules.API_NAME_LENGTH)
    try:
        rules.check_api_name(name, standard=True)
    except rules.RuleBroken as error:
        raise ShapeError(f"“{place}.api_name”: {error}") from error
    return name


def _one_of(fields: Fields, name: str, allowed: Iterable[str], place: str) -> str:
    value = fields.filled(name)
    if value not in allowed:
        raise ShapeError(f"“{place}.{name}” is “{value}”, which is none of {', '.join(sorted(allowed))}.")
    return value


def _check_one_vault(application: str, entries: tuple[StandardConnection, ...]) -> None:
    """A vault has every connection of its application at once: none of their names may meet another."""
    mine = [(entry, side) for entry in entries if (side := entry.side_of(application))]
    kinds = {
        "connections": [side.api_name for _entry, side in mine],
        "integrations": [item.api_name for entry, _side in mine for item in entry.integrations],
        "points": [
            point.api_name
            for entry, _side in mine
            for item in entry.integrations
            for point in item.points_of(application)
        ],
    }
    for kind, names in kinds.items():
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise CatalogueError(f"A {application} vault would have two {kind} called “{twice[0]}”.")
