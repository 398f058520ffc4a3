from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError, transaction

from ecoa.models import (
    Decision,
    Discrepancy,
    Evidence,
    Participant,
    ReadBack,
    ReadBackCycle,
    Remedy,
    SiteReading,
    SiteTally,
    SyncRun,
)
from ecoa.radar import asking, cycling
from ecoa.services import deciding, resolving
from tests.connections.test_faults import fault_at
from tests.ecoa.radar.test_deciding import decide, differing, sponsor
from tests.ecoa.radar.test_rounds import AT_ONCE, go_round, synced
from tests.factories.ecoa import make_site
from tests.fakes.ecoa_machine import HOST
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Signature

__all__ = ["differing", "sponsor", "synced"]
DECIDED = (Decision, Discrepancy, Participant, SiteReading, SiteTally, SyncRun, Signature, AuditEvent)
READ = (Discrepancy, Evidence, Participant, ReadBack, SiteReading, AuditEvent)
LATER = timedelta(hours=1)


def content(tables):
    return {model.__name__: sorted(map(repr, model.objects.values())) for model in tables}


def outcome(tables):
    events = sorted(AuditEvent.objects.values_list("event", "subject_type"))
    rows = {
        Participant: ("participant_id", "version", "status", "confirmed_version"),
        Discrepancy: ("participant", "site", "kind", "state", "stamp", "send_due"),
        ReadBack: ("participant", "agrees"),
        Evidence: ("participant", "verdict"),
        SiteReading: ("site", "region", "agreed", "differing", "open"),
        Decision: ("state", "cursor", "done", "lease_token"),
        SyncRun: ("scope", "chosen", "state"),
        Signature: ("meaning",),
    }
    told = {model.__name__: sorted(map(repr, model.objects.values_list(*rows[model]))) for model in rows}
    return {name: told[name] for name in (model.__name__ for model in tables) if name in told}, events


@contextmanager
def undone():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def every_fault(act, step):
    number, fired = 1, True
    while fired:
        with undone():
            with fault_at(number) as fault:
                try:
                    act()
                except OperationalError:
                    # The fault is ours, not the database's: what was left behind can be read.
                    transaction.set_rollback(False)
            yield
        number, fired = number + step, fault["fired"]
    assert number > 10


@pytest.fixture
def step(goal):
    return goal("C2").count(small=3, full=1)


def go_on():
    for pk in Decision.objects.filter(state="running").values_list("pk", flat=True):
        deciding.carry_on(decision_id=pk, now=clock.now() + LATER)
    resolving.tick(now=clock.now())


@pytest.mark.parametrize("remedy", [Remedy.KEEP_OURS, Remedy.TAKE_THEIRS, Remedy.AT_SOURCE], ids=str)
def test_decision_is_signed_whole_or_not_at_all_and_carried_out_after_any_fault(
    study, differing, sponsor, remedy, step
):
    rows = differing(2)
    before = content(DECIDED)
    with undone():
        decide(study, rows, remedy, sponsor)
        whole = outcome(DECIDED)
    ends = []

    for _fault in every_fault(lambda: decide(study, rows, remedy, sponsor), step):
        if not Decision.objects.exists():
            assert content(DECIDED) == before
        else:
            go_on()
            ends.append(outcome(DECIDED) == whole)
    assert all(ends)
    assert len(ends) > 2


def test_accepted_region_is_written_with_its_decision_or_not_at_all(study, differing, sponsor):
    rows = differing(1, kind="region_moved", our_value="https://us.x/", their_value=f"https://eu.{HOST}/")
    Discrepancy.objects.update(participant=None)
    rows = list(Discrepancy.objects.select_related("participant", "mapping", "site"))

    for _fault in every_fault(lambda: decide(study, rows, Remedy.ACCEPT_REGION, sponsor), step=1):
        region, state = SiteReading.objects.get().region, Discrepancy.objects.get().state
        assert (region == rows[0].their_value) == (state == "decided")


def test_step_of_a_round_is_written_whole_or_not_at_all_and_learnt_again_after_any_fault(study, machine, synced, step):
    moving = make_site(study.mapping, "2001")
    SiteReading.objects.filter(site=moving).update(region=f"https://us.{HOST}/")
    rows = synced(4)
    synced(1, moving)
    go_round(study.mapping)
    machine.regions["2001"] = f"https://eu.{HOST}/"
    machine.store[rows[1].internal_id].participant_id = "changed-there"
    go_round(study.mapping)
    machine.store[rows[1].internal_id].participant_id = rows[1].participant_id
    machine.store[rows[2].internal_id].participant_id = "changed-there"
    machine.regions["2001"] = f"https://us.{HOST}/"
    before = content(READ)

    def act():
        asking.forget()
        cycle = cycling.begin(study.mapping, label="Test", now=clock.now(), hurried=True)
        finish(cycle, clock.now)

    def finish(cycle, now):
        for _ in range(4):
            ReadBackCycle.objects.update(not_before=now())
            cycling.work(cycle_id=cycle.pk, policy=AT_ONCE, now=now)

    with undone():
        act()
        whole = outcome(READ)
    assert len(whole[0]["Discrepancy"]) == 3

    recovered = 0
    for _fault in every_fault(act, step):
        assert content(READ) == before or outcome(READ) == whole
        cycle = ReadBackCycle.objects.filter(state="running").first()
        if cycle is not None:
            finish(cycle, lambda: clock.now() + LATER)
            recovered += 1
            assert outcome(READ) == whole
    assert recovered > 5
