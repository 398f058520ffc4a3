from __future__ import annotations

from collections import Counter
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection, transaction

from tests.security.deed import Ready
from tests.security.deeds import DEEDS
from tests.security.tables import Rows, content, differences

# Forms of connections and of eCOA have their own: tests/connections/test_faults.py, tests/ecoa.
PLATFORM = [deed for deed in DEEDS if "/ecoa/" not in deed.pattern and "admin/connections/" not in deed.pattern]
_FREE = ("SAVEPOINT", "ROLLBACK", "RELEASE")


@contextmanager
def fault_at(number: int):
    """The database gives way at one statement; yields whether it did."""
    seen = {"count": 0, "fired": False}

    def give_way(execute, sql, params, many, context):
        if not seen["fired"] and not sql.startswith(_FREE):
            seen["count"] += 1
            if seen["count"] == number:
                seen["fired"] = True
                raise OperationalError("the connection was lost")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(give_way):
        yield seen


def tables_touched(form: Ready, before: Rows, number: int) -> tuple[Counter, bool]:
    """How many rows of which table changed, with a fault at one statement; and whether it fired."""
    with form.undone() as browser:
        with fault_at(number) as fault:
            browser.post(form.path, form.data)
        # The fault is ours, not the database's: what the view left behind can still be read.
        transaction.set_rollback(False)
        changed = Counter(row.split(" ")[0] for row in differences(before, content()))
    return changed, fault["fired"]


def halves_of(form: Ready, numbers: range) -> tuple[int, dict[int, Counter]]:
    """How many faults a form met, and what it left behind of those it did not undo."""
    before, tried, halves = content(), 0, {}
    whole, _fired = tables_touched(form, before, 10_000)
    for number in numbers:
        changed, fired = tables_touched(form, before, number)
        tried += fired
        if changed and changed != whole:
            halves[number] = changed
        if not fired:
            break
    return tried, halves


@pytest.mark.django_db
def test_a_form_is_stored_whole_or_not_at_all_wherever_the_database_gives_way(world, goal):
    c2 = goal("C2")
    numbers, tried, halves = range(1, 500, c2.count(small=7, full=1)), 0, {}
    for deed in PLATFORM:
        with deed.ready(world) as form:
            met, left = halves_of(form, numbers)
        tried += met
        halves |= {f"{deed.id} at {number}": dict(changed) for number, changed in left.items()}

    c2.reached(
        figure={"faults": tried, "halves": halves}, target={"halves": {}}, ok=not halves and tried > len(PLATFORM)
    )
