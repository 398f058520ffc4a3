import random
from dataclasses import replace

import pytest

from ecoa.models import Participant, Scope, SyncItem, SyncRun
from ecoa.service import faults
from ecoa.service.models import ServiceParticipant
from ecoa.sync import carrier, draining, healing
from ecoa.sync.policy import Policy
from tests.ecoa.sync.test_versions import change_id
from tests.factories.ecoa import make_participants, make_run, make_site
from tests.flows.test_participant_sync import bundled
from vaultadmin import audit, clock

__all__ = ["bundled"]
# A drain takes a third and hands over, so that changes fall into the middle of runs.
BRIEF = Policy(first_wait=0.0, longest_wait=0.0, silence_wait=0.01, drain_for=0.05)
BY = audit.System("Drill")


def send(mapping, scope, size, between=lambda: None):
    run, policy = make_run(mapping, scope=scope), replace(BRIEF, batch=size // 3)
    for _ in range(200):
        between()
        draining.drain(run_id=run.pk, policy=policy)
        healing.tick(now=clock.now(), policy=policy)
        SyncItem.objects.filter(due_at__gt=clock.now()).update(due_at=clock.now())
        run = SyncRun.objects.get(pk=run.pk)
        if not run.is_open:
            break
    return run


def play(mapping, site, seed, size):
    """Participants changed, sent, failed, asked about and retried at random; how many end with another value."""
    chance = random.Random(seed)
    participants = make_participants(site, size)

    def somebody_changes():
        for participant in chance.sample(participants, chance.choice((0, 0, 1, 2)) * size // 12):
            change_id(participant, f"{participant.internal_id}-{chance.randrange(10**6)}")

    faults.play("everything_at_20", seed=seed, by=BY)
    for scope in (Scope.ALL, Scope.INCREMENTAL):
        send(mapping, scope, size, somebody_changes)
    met = sum(faults.injected().values())
    faults.clear(by=BY)
    carrier.forget()
    for _ in range(5):
        if not send(mapping, Scope.INCREMENTAL, size).total:
            break
    return met, wrong(participants)


def wrong(participants):
    rows = Participant.objects.filter(pk__in=[one.pk for one in participants])
    assert set(rows.values_list("status", flat=True)) == {"synced"}
    ours = rows.values_list("internal_id", "participant_id", "my_veeva_participant_id")
    held = ServiceParticipant.objects.filter(internal_id__in=rows.values("internal_id"))
    theirs = [
        (*row[:2], str(row[2])) for row in held.values_list("internal_id", "participant_id", "my_veeva_participant_id")
    ]
    return len(set(ours) ^ set(theirs)) + len(theirs) - len(set(theirs))


@pytest.mark.evidence
def test_random_interleavings_leave_the_service_with_the_newest_value(bundled, goal):
    mapping, _odd = bundled
    site = make_site(mapping, "1005")
    c8 = goal("C8")
    plays, size = c8.count(small=1, full=8), c8.count(small=12, full=126)
    played = [play(mapping, site, seed, size) for seed in range(plays)]

    figure = {
        "over TLS": True,
        "interleavings": plays * size,
        "faults met": sum(met for met, _wrong in played),
        "wrong": sum(bad for _met, bad in played),
    }
    c8.reached(figure=figure, target={"wrong": 0}, ok=figure["faults met"] > 0 and figure["wrong"] == 0)
