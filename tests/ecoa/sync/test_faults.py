import pytest
from django.db import OperationalError

from ecoa.models import (
    Attempt,
    FileImport,
    FileRow,
    Participant,
    Scope,
    Site,
    SiteAssignment,
    SiteTally,
    StudyMapping,
    SyncItem,
    SyncRun,
)
from ecoa.services import importing, mappings, runs, sites
from ecoa.sync import batches, closing, healing, planning, settling
from ecoa.sync.carrying import Outcome, Verdict
from tests.connections.test_faults import fault_at
from tests.ecoa.conftest import QUICK
from tests.ecoa.imports.files import csv_file
from tests.factories.ecoa import make_run
from tests.factories.people import make_member
from vaultadmin import clock
from vaultadmin.models import AuditEvent

TABLES = (
    Attempt,
    FileImport,
    FileRow,
    Participant,
    Site,
    SiteAssignment,
    SiteTally,
    StudyMapping,
    SyncItem,
    SyncRun,
    AuditEvent,
)


def content():
    return {model.__name__: sorted(map(repr, model.objects.values())) for model in TABLES}


def maps(study):
    connection = study.mapping.connection
    return lambda: mappings.create(
        vault=study.mapping.vault,
        by=study.manager,
        name="New",
        connection=connection,
        tenant_id="t",
        external_study_id="new",
    )


def edits(study):
    return lambda: mappings.edit(study.mapping, by=study.manager, name="Renamed")


def adds_site(study):
    return lambda: sites.add(mapping=study.mapping, number="77", by=study.manager)


def assigns(study):
    member = make_member(study.mapping.vault)
    return lambda: sites.assign(site=study.site, member=member, by=study.manager)


def plans(study):
    study.participants(2)
    return lambda: runs.plan(mapping=study.mapping, scope=Scope.ALL, by=study.manager, now=clock.now())


def freezes(study):
    study.participants(2)
    run = make_run(study.mapping)
    return lambda: planning.freeze(run_id=run.pk, now=clock.now())


def cancels(study):
    run = make_run(study.mapping)
    return lambda: runs.cancel(run, by=study.manager, now=clock.now())


def settles(study):
    study.participants(3)
    run = make_run(study.mapping)
    planning.freeze(run_id=run.pk, now=clock.now())
    batch = batches.take(run_id=run.pk, policy=QUICK, now=clock.now())
    verdicts = (Verdict.SYNCED, Verdict.REJECTED, Verdict.UNKNOWN)
    outcomes = [
        Outcome(job, verdict, code="ID-0001", final=verdict is not Verdict.UNKNOWN)
        for job, verdict in zip(batch.jobs, verdicts, strict=True)
    ]
    return lambda: settling.settle(run=run, token=batch.token, outcomes=outcomes, policy=QUICK, now=clock.now())


def parks(study):
    study.participants(2)
    run = make_run(study.mapping)
    planning.freeze(run_id=run.pk, now=clock.now())
    batches.take(run_id=run.pk, policy=QUICK, now=clock.now())
    SyncItem.objects.update(crashes=2)
    later = clock.now() + QUICK.lease * 2
    return lambda: healing.release_lapsed(now=later, policy=QUICK)


def drops(study):
    study.participants(2)
    run = make_run(study.mapping)
    planning.freeze(run_id=run.pk, now=clock.now())
    SyncItem.objects.update(doubtful=True)
    return lambda: closing.close_open(run=run, now=clock.now())


def finishes(study):
    run = make_run(study.mapping)
    planning.freeze(run_id=run.pk, now=clock.now())
    return lambda: closing.finish_if_done(run_id=run.pk, now=clock.now())


def discards(study):
    file = importing.receive(
        mapping=study.mapping, file=csv_file("1005,p-1,i-1"), name="x", by=study.manager, now=clock.now()
    )
    return lambda: importing.discard(file, by=study.manager, now=clock.now())


@pytest.mark.parametrize(
    "prepare",
    [
        maps,
        edits,
        adds_site,
        assigns,
        plans,
        freezes,
        cancels,
        settles,
        parks,
        drops,
        finishes,
        discards,
    ],
)
def test_act_is_all_or_nothing_wherever_the_database_gives_way(study, prepare):
    act = prepare(study)
    before = content()

    for number in range(1, 100):
        with fault_at(number) as fault:
            try:
                act()
            except OperationalError:
                assert content() == before
        if not fault["fired"]:
            break

    assert number > 2
    assert content() != before


def test_received_file_is_whole_or_absent(study):
    before = content()

    for number in range(1, 100):
        with fault_at(number) as fault:
            try:
                importing.receive(
                    mapping=study.mapping, file=csv_file("1005,p-1,i-1"), name="x", by=study.manager, now=clock.now()
                )
            except OperationalError:
                # Received and not yet checked is whole as well: the tick goes on from there.
                assert content() == before or FileImport.objects.get().state in ("checking", "ready")
        if not fault["fired"]:
            break
        FileRow.objects.all().delete()
        FileImport.objects.all().delete()
        before = content()

    assert FileImport.objects.get().state == "ready"
