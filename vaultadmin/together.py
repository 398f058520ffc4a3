"""Questions of many places, asked in one statement: a page that shows something of every app pays one trip for all.

Who needs rows for an answer writes a generator: it yields querysets, gets their rows back in the same order, and
returns what it made of them. `answer` runs one; `together` makes one of several, so that what they yield at the same
step goes to the database as one statement. What several of them ask is asked once.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db import connection
from django.db.models import QuerySet
from psycopg.adapt import Transformer

from vaultadmin.standing import Standing, Words

T = TypeVar("T")
Questions = tuple[QuerySet[Any] | Standing, ...]
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


def rows_of(question: QuerySet[Any] | Standing) -> Asking[list[Any]]:
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
    """What is asked: a queryset, or a standing question with its values."""

    def __init__(self, asked: QuerySet[Any] | Standing) -> None:
        self.words, values = (asked.words, asked.values) if isinstance(asked, Standing) else (Words(asked), {})
        self.params = self.words.params(values)
        self.key = f"{self.words.sql} {self.params!r}"


def _ask(questions: Questions, known: dict[str, list[Any]]) -> Rows:
    """The rows of each question, with one statement for all that are not known yet."""
    asked = [_Question(rows) for rows in questions]
    new = {each.key: each for each in asked if each.key not in known}
    # What can have no rows, Django does not put into words.
    known |= {key: [] for key, each in new.items() if not each.words.sql}
    if worded := [each for each in new.values() if each.words.sql]:
        known |= zip((each.key for each in worded), _fetch(worded), strict=True)
    return [known[each.key] for each in asked]


def _fetch(questions: Sequence[_Question]) -> Iterator[list[Any]]:
    parts = ", ".join(f"ARRAY(SELECT part FROM ({each.words.sql}) part)" for each in questions)  # nosec B608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {parts}", [value for each in questions for value in each.params])
        answers = cursor.fetchone()
        transformer = Transformer(cursor.cursor)
    return (each.words.read(raw, transformer) for each, raw in zip(questions, answers, strict=True))
