from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from tests.security.deed import Deed, World
from tests.security.deeds import DEEDS
from tests.security.tables import content

# Rows of evidence, queues of nudges and links: a second click may leave one more without doubling what was asked for.
EVIDENCE = {"vaultadmin.AuditEvent", "vaultadmin.AuditHead", "vaultadmin.Heartbeat", "axes.AccessAttempt"}
SAID_SO = {409, 422}
DONE = {200, 204, 302}
CREATING = [deed for deed in DEEDS if deed.creates]


def made(before, after) -> dict[str, int]:
    counts = {label: len(after[label].keys() - before[label].keys()) for label in before if label not in EVIDENCE}
    return {label: count for label, count in counts.items() if count}


def again(data: dict) -> dict:
    """The same form once more; a file that was read is picked again."""
    return {
        name: SimpleUploadedFile(str(value.name), rewound(value)) if isinstance(value, SimpleUploadedFile) else value
        for name, value in data.items()
    }


def rewound(file: SimpleUploadedFile) -> bytes:
    file.seek(0)
    return file.read()


def click_twice(world: World, deed: Deed) -> tuple[dict[str, int], dict[str, int], list[int], str]:
    """What one click makes, what the second one adds, both statuses and the second page."""
    with transaction.atomic():
        path, data, browser = deed.address(world), deed.prepare(world), deed.browser(world)
        empty = content()
        first = browser.post(path, data)
        one = content()
        second = browser.post(path, again(data))
        two = content()
        transaction.set_rollback(True)
    return made(empty, one), made(one, two), [first.status_code, second.status_code], second.content.decode()


@pytest.mark.django_db
def test_a_double_click_makes_one_thing_or_says_so(world, goal):
    wrong = {}
    for deed in CREATING:
        once, more, statuses, page = click_twice(world, deed)
        if not once or more or statuses[0] not in DONE or statuses[1] not in DONE | SAID_SO:
            wrong[deed.id] = {"made": once, "added": more, "statuses": statuses, "page": page[-2000:]}

    goal("C5").reached(figure={"forms": len(CREATING), "wrong": wrong}, target={"wrong": {}}, ok=not wrong)
