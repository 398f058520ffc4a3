import random
from datetime import timedelta

import pytest
from django.db import connection

from ecoa.cards import UNLISTED, card_for
from ecoa.models import Participant, SyncItem, SyncRun
from ecoa.service import seeding
from ecoa.service.models import ServiceParticipant
from ecoa.sync import healing
from tests.factories.connections import make_authorization, make_external
from tests.factories.ecoa import make_manager, make_participants, make_run, make_site, mappings
from vaultadmin import clock
from vaultadmin.embedded.processes import wait_until

SYSTEM, SECRET, TENANT, STUDY = "mv-ext-flow", "flow secret", "flow", "flow-study"


@pytest.fixture
def bundled(live_site):
    """A study mapped to the bundled service, reached over TLS as an outside one would be."""
    odd = seeding.seed_demo(
        system_id=SYSTEM, secret=SECRET, tenant_id=TENANT, study_id=STUDY, sites={"1005": "us", "2001": "eu"}
    )
    by = make_manager()
    authorization = make_authorization(by, identity=SYSTEM, secret=SECRET)
    link = make_external(by, url="https://ecoa.demo.test/myveeva/global/", authorization=authorization)
    mapping = mappings.create(
        vault=by.vault, by=by, name="Flow", connection=link, tenant_id=TENANT, external_study_id=STUDY
    )
    return mapping, odd


def beat(run, *, until, seconds=90):
    """Tick as beat does, until the run is where it should be."""

    def step():
        healing.tick(now=clock.now())
        return until(SyncRun.objects.get(pk=run.pk))

    wait_until(step, seconds=seconds)
    return SyncRun.objects.get(pk=run.pk)


def let_leases_run_out():
    SyncItem.objects.filter(lease_token__isnull=False).update(lease_until=clock.now() - timedelta(seconds=1))


def in_service(mapping):
    rows = ServiceParticipant.objects.filter(internal_id__startswith="internal-")
    return dict(rows.values_list("internal_id", "participant_id"))


def test_participants_reach_the_bundled_service_through_a_worker(bundled, celery_worker_process):
    mapping, _odd = bundled
    us, eu = make_site(mapping, "1005"), make_site(mapping, "2001")
    participants = make_participants(us, 30) + make_participants(eu, 20)
    celery_worker_process(processes=1)

    run = beat(make_run(mapping), until=lambda run: not run.is_open)

    assert (run.state, run.synced) == ("finished", 50)
    assert in_service(mapping) == {p.internal_id: p.participant_id for p in participants}


# A participant in whose sending three workers died is left for people; fewer deaths leave nobody behind.
@pytest.mark.parametrize("kills", [2])
def test_killed_workers_lose_and_double_nobody(bundled, celery_worker_process, kills):
    mapping, _odd = bundled
    site = make_site(mapping, "1005")
    participants = make_participants(site, 1500)
    chance = random.Random(7)
    run = make_run(mapping)

    for _ in range(kills):
        worker = celery_worker_process(processes=2)
        done = SyncRun.objects.get(pk=run.pk).done
        enough = done + chance.randint(1, 200)
        beat(run, until=lambda run, enough=enough: run.done >= enough or not run.is_open)
        worker.kill()
        let_leases_run_out()
    celery_worker_process(processes=2)
    run = beat(run, until=lambda run: not run.is_open, seconds=180)

    assert (run.state, run.synced, run.total) == ("finished", 1500, 1500)
    assert in_service(mapping) == {p.internal_id: p.participant_id for p in participants}
    assert set(Participant.objects.values_list("status", "synced_version")) == {("synced", 1)}


def test_every_documented_refusal_of_the_service_ends_in_words(bundled, celery_worker_process):
    mapping, odd = bundled
    expected = {}
    first = make_site(mapping, "1005")
    for number, code in (
        (odd.unknown_site, "NF-0003"),
        (odd.site_of_other_study, "ID-0002"),
        (odd.unconfigured_site, "IC-0001"),
    ):
        [participant] = make_participants(make_site(mapping, number), 1)
        expected[participant.pk] = code
    [taken] = make_participants(first, 1, participant_id=odd.taken_participant_id)
    [failing] = make_participants(first, 1, internal_id=f"{odd.failing_internal_prefix}1")
    expected |= {taken.pk: "ID-0003", failing.pk: "UE-0001"}
    for study, code in (
        (odd.disabled_study, "IC-0002"),
        (odd.withdrawn_study, "IC-0003"),
        (odd.unmapped_study, "NF-0002"),
    ):
        other = mappings.create(
            vault=mapping.vault,
            by=make_manager(mapping.vault),
            name=study,
            connection=mapping.connection,
            tenant_id=TENANT,
            external_study_id=study,
        )
        [participant] = make_participants(make_site(other, odd.odd_study_site), 1)
        expected[participant.pk] = code
    celery_worker_process(processes=2)
    runs = [make_run(one) for one in {p.mapping for p in Participant.objects.select_related("mapping")}]

    for run in runs:
        beat(run, until=lambda run: not run.is_open)

    assert dict(Participant.objects.values_list("pk", "code")) == expected
    assert all(card_for(code) != UNLISTED for code in expected.values())
    assert connection.in_atomic_block is False
