import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from ecoa.models import Participant, PushReceipt, Site, SyncRun
from ecoa.services import pushing
from tests.ecoa.push.conftest import make_machine, make_token, rows
from tests.factories.ecoa import make_site
from vaultadmin import clock
from vaultadmin.models import AuditEvent

WORKERS = 6


def together(*pushes):
    """Each push in a thread of its own, all released at one moment."""
    start = Barrier(len(pushes))

    def run(push):
        try:
            start.wait(timeout=30)
            return push()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(pushes)) as threads:
        return list(threads.map(run, pushes))


def test_repeated_push_hears_the_same_answer_and_does_nothing(rtsm):
    first = rtsm.push(rows(1, 2), key="k-1")
    Participant.objects.update(status="synced", synced_version=1)
    told = AuditEvent.objects.count()

    second = rtsm.push(rows(1, 2), key="k-1")

    assert (second.status_code, second.content) == (202, first.content)
    assert (AuditEvent.objects.count(), SyncRun.objects.count()) == (told, 1)


@pytest.mark.parametrize("other", [rows(1, 3), [], json.dumps(rows(1)).encode() + b" "])
def test_same_key_with_another_body_is_refused_and_changes_nothing(rtsm, other):
    rtsm.push(rows(1), key="k-1")

    answer = rtsm.push(other, key="k-1")

    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert Participant.objects.count() == 1


def test_same_key_for_another_site_is_refused(rtsm):
    make_site(rtsm.study.mapping, "2001")
    rtsm.push(rows(1), key="k-1")

    assert rtsm.push(rows(1), key="k-1", path=rtsm.path.replace("/1005/", "/2001/")).status_code == 422


def test_key_belongs_to_who_sent_it(rtsm):
    rtsm.push(rows(1), key="k-1")

    other = make_token(make_machine(rtsm.study.mapping.vault))

    assert rtsm.push(rows(2), key="k-1", token=other).status_code == 202


def test_refused_push_leaves_its_key_free(rtsm):
    assert rtsm.push([{"participantId": 1, "internalId": "i"}], key="k-1").status_code == 400

    assert rtsm.push(rows(1), key="k-1").status_code == 202


def test_push_without_a_key_is_taken_each_time(rtsm):
    first, second = rtsm.push(rows(1), key=None), rtsm.push(rows(1), key=None)

    assert [answer.json()["rows"][0]["status"] for answer in (first, second)] == ["created", "unchanged"]
    assert not PushReceipt.objects.exists()


def test_answers_are_forgotten_after_a_week(rtsm):
    rtsm.push(rows(1), key="k-1")

    assert pushing.tidy(now=clock.now() + pushing.KEEP - timedelta(minutes=1)) == 0
    assert pushing.tidy(now=clock.now() + pushing.KEEP + timedelta(minutes=1)) == 1


@pytest.mark.django_db(transaction=True)
def test_pushes_with_one_key_at_the_same_moment_are_one_push(rtsm):
    answers = together(*[lambda: rtsm.push(rows(1, 2, 3), key="k-1") for _ in range(WORKERS)])

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert Participant.objects.count() == 3
    assert AuditEvent.objects.filter(event="participants.pushed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_key_with_different_bodies_at_the_same_moment_stores_one_of_them(rtsm):
    answers = together(*[lambda number=number: rtsm.push(rows(number), key="k-1") for number in range(WORKERS)])

    assert sorted(answer.status_code for answer in answers) == [202, *[422] * (WORKERS - 1)]
    assert Participant.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_participants_pushed_at_the_same_moment_exist_once(rtsm):
    answers = together(*[lambda: rtsm.push(rows(1, 2)) for _ in range(WORKERS)])

    created = [row for answer in answers for row in answer.json()["rows"] if row["status"] == "created"]
    assert (len(created), Participant.objects.count(), Site.objects.count()) == (2, 2, 1)
    assert {answer.status_code for answer in answers} == {202}
