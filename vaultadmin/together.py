"""Questions of many places, asked in one statement: a page that shows something of every app pays one trip for all.

Who needs rows for an answer writes a generator: it yields querysets, gets their rows back in the same order, and
returns what it made of them. `answer` runs one; `together` makes one of several, so that what they yield at the same
step goes to the database as one statement. What several of them ask is asked once.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Field, QuerySet
from psycopg import abc
from psycopg.adapt import Transformer
from psycopg.postgres import types
from psycopg.pq import Format

T = TypeVar("T")
Questions = tuple[QuerySet[Any], ...]
Rows = Sequence[list[Any]]
# Something that is known once the questions it asks are answered.
Asking = Generator[Questions, Rows, T]


def answer(asking: Asking[T]) -> T:
    """What this comes to, with one statement for each step of its questions."""
    known: dict[str, list[Any]] = {}
    try:
        questions = next(asking)
        while True:
            questions = asking.send(_ask(questions, known))
    except StopIteration as end:
        result: T = end.value
        return result


def known(value: T) -> Asking[T]:
    """What asks nothing, or asked for itself already."""
    yield from ()
    return value


def rows_of(question: QuerySet[Any]) -> Asking[list[Any]]:
    """The rows of a single question."""
    (found,) = yield (question,)
    return found


def together(parts: Iterable[Asking[T]]) -> Asking[list[T]]:
    """Several at the same time: their results in the order of `parts`."""
    results: dict[int, T] = {}
    open_parts: dict[int, tuple[Asking[T], Questions]] = {}
    running = list(parts)
    for number, part in enumerate(running):
        _step(number, part, None, open_parts, results)
    while open_parts:
        found = iter((yield tuple(question for _, questions in open_parts.values() for question in questions)))
        for number, (part, questions) in list(open_parts.items()):
            _step(number, part, [next(found) for _ in questions], open_parts, results)
    return [results[number] for number in range(len(running))]


def _step(
    number: int,
    part: Asking[T],
    rows: Rows | None,
    open_parts: dict[int, tuple[Asking[T], Questions]],
    results: dict[int, T],
) -> None:
    try:
        open_parts[number] = (part, next(part) if rows is None else part.send(rows))
    except StopIteration as end:
        open_parts.pop(number, None)
        results[number] = end.value


class _Question:
    """A queryset, its statement, and its rows once they were asked for."""

    def __init__(self, rows: QuerySet[Any]) -> None:
        self._rows = rows.all()
        # The connection itself: a compiler asks it hundreds of things, and the usual proxy looks it up each time.
        self._compiler: Any = self._rows.query.get_compiler(connection=connections[DEFAULT_DB_ALIAS])
        try:
            self.sql, self.params = self._compiler.as_sql(with_col_aliases=True)
        except EmptyResultSet:
            self.sql, self.params = "", ()
        self.key = f"{self.sql} {self.params!r}"

    def read(self, raw: Sequence[Sequence[str | None]], transformer: abc.Transformer) -> list[Any]:
        """The rows Django would have read itself, from the texts of their columns."""
        loaders = [transformer.get_loader(_oid(each[0].output_field), Format.TEXT) for each in self._compiler.select]
        read = [
            tuple(
                None if text is None else loader.load(text.encode()) for loader, text in zip(loaders, row, strict=True)
            )
            for row in raw
        ]
        # From here on the queryset works as ever: converters, instances, annotations, related rows.
        self._compiler.execute_sql = lambda *_args, **_options: [read]
        query: Any = self._rows.query
        query.get_compiler = lambda *_args, **_options: self._compiler
        return list(self._rows)


def _ask(questions: Iterable[QuerySet[Any]], known: dict[str, list[Any]]) -> Rows:
    """The rows of each question, with one statement for all that are not known yet."""
    asked = [_Question(rows) for rows in questions]
    new = {each.key: each for each in asked if each.key not in known}
    # What can have no rows, Django does not put into words.
    known |= {key: [] for key, each in new.items() if not each.sql}
    if worded := [each for each in new.values() if each.sql]:
        known |= zip((each.key for each in worded), _fetch(worded), strict=True)
    return [known[each.key] for each in asked]


def _fetch(questions: Sequence[_Question]) -> Iterator[list[Any]]:
    parts = ", ".join(f"ARRAY(SELECT part FROM ({each.sql}) part)" for each in questions)  # nosec B608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {parts}", [value for each in questions for value in each.params])
        answers = cursor.fetchone()
        transformer = Transformer(cursor.cursor)
    return (each.read(raw, transformer) for each, raw in zip(questions, answers, strict=True))


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
