import os
import signal
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from kombu.connection import Connection as Broker
from kombu.entity import Exchange, Queue
from kombu.messaging import Producer

from ecoa.models import Attempt, ItemState, Participant, RunState, SyncItem, SyncRun
from ecoa.service import faults, seeding
from ecoa.service.models import ServiceParticipant
from ecoa.service.models.faults import FaultCall, FaultKind
from ecoa.services import mappings
from ecoa.sync import batches, healing
from ecoa.sync.policy import POLICY
from tests.factories.connections import make_authorization, make_external
from tests.factories.ecoa import SYSTEM, make_manager, make_participants, make_run, make_site
from tests.tools.fixtures import ALL_QUEUES
from vaultadmin import clock
from vaultadmin.embedded.processes import wait_until
from vaultadmin.models import Heartbeat
from vaultadmin.tasks import pulse

# Each test has workers of its own on the live site of this pytest process.
pytestmark = [pytest.mark.django_db(transaction=True)]

STUDY, CREDENTIALS, TENANT, SECRET = "drilled-study", "mv-ext-drill", "drill", "drill secret value"
POISON = Path(__file__).parent / "poisoned"


@pytest.fixture
def site(live_site):
    """A study of ours, mapped to the bundled service over TLS as an outside one would be."""
    seeding.seed_demo(
        system_id=CREDENTIALS, secret=SECRET, tenant_id=TENANT, study_id=STUDY, sites={"1005": "us", "2001": "eu"}
    )
    manager = make_manager()
    authorization = make_authorization(manager, identity=CREDENTIALS, secret=SECRET)
    outside = make_external(manager, url="https://ecoa.demo.test/myveeva/global/", authorization=authorization)
    mapping = mappings.create(
        vault=manager.vault,
        by=manager,
        name="Drilled",
        connection=outside,
        tenant_id=TENANT,
        external_study_id=STUDY,
    )
    return make_site(mapping, "1005")


def arm(kind, *, prefix="internal-", times=1, hold=0.0):
    faults.arm(
        region="us",
        call=FaultCall.POST,
        kind=kind,
        by=SYSTEM,
        remaining=times,
        internal_id_prefix=prefix,
        hold_seconds=hold,
    )


def tick():
    """What beat does every few seconds."""
    healing.tick(now=clock.now())
    connection.close()


def wait_for_end(run, *, seconds=90, meanwhile=lambda: None):
    def over():
        meanwhile()
        tick()
        return not SyncRun.objects.get(pk=run.pk).is_open

    assert wait_until(over, seconds=seconds), SyncRun.objects.values().get(pk=run.pk)
    return SyncRun.objects.get(pk=run.pk)


def in_the_service():
    return dict(
        ServiceParticipant.objects.filter(study__external_id=STUDY, internal_id__startswith="internal-").values_list(
            "internal_id", "participant_id"
        )
    )


def as_planned(participants):
    return {participant.internal_id: participant.participant_id for participant in participants}


@pytest.mark.parametrize(
    ("kind", "landed", "hold"),
    [
        (FaultKind.ERROR_500, False, 0.0),
        (FaultKind.HTML, False, 0.0),
        (FaultKind.CLOSE, False, 0.0),
        (FaultKind.DROP_REPLY, True, 0.0),
        (FaultKind.HANG, True, 0.5),
    ],
)
def test_each_fault_of_the_service_is_told_truly_and_doubles_nobody(
    site, celery_worker_process, goal, kind, landed, hold
):
    b5 = goal("B5")
    amount = b5.count(small=12, full=2_000)
    participants = make_participants(site, amount)
    arm(kind, times=amount, hold=hold)
    celery_worker_process(("sync",))

    run = wait_for_end(make_run(site.mapping), seconds=300)

    first = Attempt.objects.filter(number=1)
    outcomes = set(first.values_list("outcome", flat=True)) | set(first.values_list("read_back", flat=True))
    written_twice = sum(row.created_at != row.updated_at for row in ServiceParticipant.objects.all())
    truly = {"synced", False} if kind is FaultKind.HANG else {"unknown", False}
    wrong = in_the_service() != as_planned(participants)
    figure = {
        "fault": kind.value,
        "participants": amount,
        "synced": run.synced,
        "first tries": sorted(map(str, outcomes)),
    }
    b5.reached(
        figure=figure | {"written twice": written_twice, "wrong": wrong},
        target={"synced": amount, "written twice": 0, "wrong": False},
        ok=run.state == RunState.FINISHED
        and run.synced == amount
        and outcomes == truly
        and not (wrong or (landed and written_twice)),
    )


def test_a_worker_that_slept_past_its_lease_writes_nothing(site, celery_worker_process, goal):
    b12 = goal("B12")
    participants = make_participants(site, 8)
    arm(FaultKind.HANG, times=8, hold=3.0)
    sleeper = celery_worker_process(("sync",))
    run = make_run(site.mapping)
    assert wait_until(lambda: SyncItem.objects.filter(lease_token__isnull=False).count() == 8, seconds=30)
    stop(sleeper, signal.SIGSTOP)
    stale = set(SyncItem.objects.values_list("lease_token", flat=True))
    if b12.count(small=0, full=1):
        wait_until(lambda: not SyncItem.objects.filter(lease_until__gt=clock.now()).exists(), seconds=60)
    SyncItem.objects.filter(lease_until__gt=clock.now()).update(lease_until=clock.now())
    # The sleeper's session holds lane 0; whoever comes takes another one, as the other worker of a large run does.
    healing.release_lapsed(now=clock.now())
    taken = SyncItem.objects.filter(lease_token__isnull=True).count()
    new_token = hold_again(run)

    stop(sleeper, signal.SIGCONT)
    assert wait_until(lambda: "taken over before they could be settled" in sleeper.output(), seconds=60)
    untouched = SyncItem.objects.filter(lease_token=new_token, state=ItemState.WAITING).count()
    SyncItem.objects.update(lease_token=None, lease_until=None)
    ended = wait_for_end(run)

    effects = in_the_service()
    ok = stale != {None} and taken == untouched == 8 and ended.synced == 8 and effects == as_planned(participants)
    b12.reached(figure={"late writes": 8 - untouched, "synced": ended.synced}, target={"late writes": 0}, ok=ok)


def hold_again(run):
    batch = batches.take(run_id=run.pk, policy=POLICY, now=clock.now())
    return batch.token


def stop(worker, number):
    for pid in [worker.pid, *worker.children()]:
        os.kill(pid, number)


def lapse_leases_of_the_dead():
    """Time passes for rows nobody works on: their worker would have settled or renewed long since."""
    old = clock.now() + POLICY.lease - POLICY.lease / 3
    SyncItem.objects.filter(lease_until__lt=old).update(lease_until=clock.now())


def test_a_poison_row_is_set_aside_and_takes_nobody_with_it(site, celery_worker_process, goal):
    b9 = goal("B9")
    amount = b9.count(small=60, full=1_000)
    participants = make_participants(site, amount - 1)
    [poison] = make_participants(site, 1, internal_id="internal-poison")
    worker = celery_worker_process(("sync",), PYTHONPATH=str(POISON))

    run = wait_for_end(make_run(site.mapping), seconds=240, meanwhile=lapse_leases_of_the_dead)

    parked = Participant.objects.get(pk=poison.pk)
    alive = worker.process.poll() is None
    figure = {"synced": run.synced, "parked": run.unknown, "code": parked.code, "worker lives": alive}
    ok = run.synced == amount - 1 and run.unknown == 1 and parked.code == "VA-PARKED" and alive
    ok = ok and in_the_service() == as_planned(participants)
    b9.reached(figure=figure, target={"synced": amount - 1, "parked": 1}, ok=ok)


class Bomb:
    """Whoever unpickles this makes the file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def push(path, serializer):
    with Broker(settings.CELERY_BROKER_URL, transport_options={"socket_timeout": 5}) as broker:
        queue = Queue("sync", Exchange("sync", type="direct"), routing_key="sync")
        headers = {"lang": "py", "task": "ecoa.tasks.tick", "id": serializer, "root_id": serializer, "argsrepr": ""}
        body = ([], {"x": Bomb(path)} if serializer == "pickle" else {"x": "y"}, {})
        Producer(broker).publish(
            body, serializer=serializer, exchange=queue.exchange, routing_key="sync", declare=[queue], headers=headers
        )


def push_raw(content_type, encoding, body):
    with Broker(settings.CELERY_BROKER_URL, transport_options={"socket_timeout": 5}) as broker:
        queue = Queue("sync", Exchange("sync", type="direct"), routing_key="sync")
        headers = {"lang": "py", "task": "ecoa.tasks.tick", "id": content_type, "root_id": content_type, "argsrepr": ""}
        Producer(broker).publish(
            body,
            content_type=content_type,
            content_encoding=encoding,
            exchange=queue.exchange,
            routing_key="sync",
            declare=[queue],
            headers=headers,
        )


def test_messages_that_are_no_json_are_refused_and_the_worker_lives_on(celery_worker_process, tmp_path, goal):
    marker = tmp_path / "executed"
    worker = celery_worker_process(ALL_QUEUES, processes=1)
    push(marker, "pickle")
    yaml = f"!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{marker}']]"
    push_raw("application/x-yaml", "utf-8", yaml)
    push_raw("application/x-msgpack", "binary", b"\x93\x90\x80\x80")
    push_raw("application/json", "utf-8", '[[], {"queue": "sync"')

    pulse.apply_async(kwargs={"queue": "sync"}, queue="sync")
    beaten = wait_until(lambda: Heartbeat.objects.filter(name="queue:sync").exists(), seconds=60)

    said = worker.output()
    refused = said.count("Refusing to deserialize") + said.count("decode")
    ok = beaten and not marker.exists() and refused >= 3 and worker.process.poll() is None
    goal("K6").reached(
        figure={"executed": marker.exists(), "works on": beaten, "refused": refused}, target={"executed": False}, ok=ok
    )
