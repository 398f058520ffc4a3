"""Questions that are always the same but for their values: put into words once, not for every page that asks them.

To make a statement of a queryset costs Django more than PostgreSQL needs for the answer. Who asks the same on every
page decorates the function that makes the queryset with `standing`: positional arguments choose what is asked and are
part of its words, keyword arguments are values and are filled in each time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from enum import Enum
from functools import cache, wraps
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Expression, Field, QuerySet
from psycopg import abc
from psycopg.postgres import types
from psycopg.pq import Format

if TYPE_CHECKING:
    from vaultadmin.models import Membership

# What is asked hangs on permissions and the like; nobody has more kinds of them than this.
_MOST_SHAPES = 256


class Given(Expression):
    """The place of a value in a standing question. It goes where a query takes a value; nothing may hang on it."""

    def __init__(self, name: str) -> None:
        super().__init__(output_field=Field())
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """A placeholder, with itself in place of the value."""
        return "%s", [self]


class Words:
    """The statement of a queryset, and how its rows are read."""

    def __init__(self, rows: QuerySet[Any]) -> None:
        self._rows = rows.all()
        # The connection itself: a compiler asks it hundreds of things, and the usual proxy looks it up each time.
        self._compiler: Any = self._rows.query.get_compiler(connection=connections[DEFAULT_DB_ALIAS])
        try:
            self.sql, self._params = self._compiler.as_sql(with_col_aliases=True)
        except EmptyResultSet:
            self.sql, self._params = "", ()

    def params(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """What goes into the statement with these values."""
        return tuple(values[each.name] if isinstance(each, Given) else each for each in self._params)

    def read(self, raw: Sequence[Sequence[str | None]], transformer: abc.Transformer) -> list[Any]:
        """The rows Django would have read itself, from the texts of their columns."""
        loaders = [transformer.get_loader(_oid(each[0].output_field), Format.TEXT) for each in self._compiler.select]
        read = [
            tuple(
                None if text is None else loader.load(text.encode()) for loader, text in zip(loaders, row, strict=True)
            )
            for row in raw
        ]
        # From here on the queryset works as ever: converters, instances, annotations, related rows. The compiler is a
        # copy with the connection of this very thread, for the words may be shared.
        rows, compiler = self._rows.all(), copy(self._compiler)
        query: Any = rows.query
        compiler.query, compiler.connection = query, connections[DEFAULT_DB_ALIAS]
        compiler.execute_sql = lambda *_args, **_options: [read]
        query.get_compiler = lambda *_args, **_options: compiler
        return list(rows)


@dataclass(frozen=True)
class Standing:
    """A standing question with its values."""

    words: Words
    values: Mapping[str, Any]


def standing(build: Callable[..., QuerySet[Any]]) -> Callable[..., Standing]:
    """The function as a standing question: called once for each choice of positional arguments, with placeholders for
    the values. NULL is no value, for it is asked for in other words."""
    cache: dict[Hashable, Words] = {}

    @wraps(build)
    def ask(*shape: Hashable, **values: Any) -> Standing:
        return _filled(cache, (shape, *values), lambda: build(*shape, **_given(values)), values)

    return ask


def standing_for(build: Callable[..., QuerySet[Any]]) -> Callable[..., Standing]:
    """The same for a function whose first argument is the member who asks.

    It is called once for each set of permissions, with somebody who holds them and has placeholders for `pk`,
    `vault_id` and `user_id`: rows may be `visible_to` them as ever, but nothing else about them may be looked at.
    """
    cache: dict[Hashable, Words] = {}

    @wraps(build)
    def ask(member: Membership, *shape: Hashable, **values: Any) -> Standing:
        is_active = member.is_active and member.user.is_active
        granted = frozenset(member.profile.permissions if is_active else ())
        who = {"member": member.pk, "vault": member.vault_id, "user": member.user_id}
        return _filled(
            cache, (granted, shape, *values), lambda: build(_somebody(granted), *shape, **_given(values)), who | values
        )

    return ask


def _filled(
    cache: dict[Hashable, Words], key: Hashable, build: Callable[[], QuerySet[Any]], values: Mapping[str, Any]
) -> Standing:
    if missing := [name for name, value in values.items() if value is None]:
        raise TypeError(f"A standing question has no value for {', '.join(missing)}.")
    found = cache.get(key)
    if found is None:
        if len(cache) >= _MOST_SHAPES:
            cache.clear()
        found = cache[key] = Words(build())
    return Standing(found, {name: value.value if isinstance(value, Enum) else value for name, value in values.items()})


def _given(values: Mapping[str, Any]) -> dict[str, Given]:
    return {name: Given(name) for name in values}


def _somebody(granted: frozenset[str]) -> Any:
    """Somebody whose profile grants this, and of whom nothing else is known."""
    return SimpleNamespace(
        pk=Given("member"),
        vault_id=Given("vault"),
        user_id=Given("user"),
        is_active=True,
        user=SimpleNamespace(is_active=True),
        profile=SimpleNamespace(permissions=sorted(granted)),
    )


def _oid(field: Field[Any, Any]) -> int:
    """The type PostgreSQL gives a column of this field."""
    # Fields of models stay; those of what is counted or joined together are made for each question.
    return _oid_of_column(field) if hasattr(field, "model") else _oid_of_type(field.db_type(connection))


@cache
def _oid_of_column(field: Field[Any, Any]) -> int:
    return _oid_of_type(field.db_type(connection))


def _oid_of_type(db_type: str | None) -> int:
    name = db_type or "text"
    base = name.removesuffix("[]").partition("(")[0]
    found = types[base]
    return found.array_oid if name.endswith("[]") else found.oid
