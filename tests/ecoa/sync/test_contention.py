import threading
from dataclasses import replace

import pytest
from django.db import connection

from ecoa.models import Attempt, Participant, SyncItem, SyncRun
from ecoa.sync import batches, draining
from tests.ecoa.conftest import QUICK
from tests.factories.ecoa import make_run
from vaultadmin import clock

pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(amount, work):
    failures = []

    def body(number):
        try:
            work(number)
        except Exception as error:  # shown by the assertion below
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=body, args=(number,)) for number in range(amount)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


def test_four_workers_on_one_run_send_everybody_once(study, machine):
    study.participants(1500)
    run = make_run(study.mapping)
    draining.planning.freeze(run_id=run.pk, now=clock.now())

    in_threads(4, lambda lane: draining.drain(run_id=run.pk, lane=lane, policy=QUICK))

    run = SyncRun.objects.get(pk=run.pk)
    assert (run.state, run.synced, machine.calls["post"]) == ("finished", 1500, 1500)
    assert Attempt.objects.count() == 1500
    assert study.site.tally.__class__.objects.get().synced == Participant.objects.filter(status="synced").count()


@pytest.mark.evidence
def test_contended_claims_never_give_one_row_to_two_workers(study, goal):
    c4 = goal("C4")
    study.participants(c4.count(small=1000, full=10_000))
    run = make_run(study.mapping)
    draining.planning.freeze(run_id=run.pk, now=clock.now())
    taken = [[] for _ in range(4)]

    def take(worker):
        while batch := batches.take(run_id=run.pk, policy=replace(QUICK, batch=7), now=clock.now()):
            taken[worker] += [job.item for job in batch.jobs]

    in_threads(4, take)

    everything = [item for items in taken for item in items]
    doubled = len(everything) - len(set(everything))
    ok = doubled == 0 and len(everything) == SyncItem.objects.count()
    c4.reached(figure={"claims": len(everything), "doubled": doubled}, target={"doubled": 0}, ok=ok)
