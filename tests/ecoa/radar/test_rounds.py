from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import Sum

from ecoa.models import (
    CallHour,
    Discrepancy,
    Evidence,
    Participant,
    ReadBack,
    ReadBackCycle,
    Scope,
    SiteReading,
    StudyMapping,
)
from ecoa.radar import asking, cycling
from ecoa.radar.policy import RadarPolicy
from ecoa.sync.policy import Policy
from tests.factories.ecoa import make_participants, make_run, make_site
from tests.fakes.ecoa_machine import HOST, Held, failure
from vaultadmin import clock
from vaultadmin.models import AuditEvent

AT_ONCE = RadarPolicy(
    first_wait=timedelta(), longest_wait=timedelta(), calling=Policy(silence_limit=8, silence_wait=0.01)
)


@pytest.fixture(autouse=True)
def nothing_remembered():
    asking.forget()


@pytest.fixture
def synced(study, machine):
    """Participants that both sides hold."""

    def make(amount, site=None):
        site = site or study.site
        rows = make_participants(site, amount, status="synced", synced_version=1)
        for number, row in enumerate(rows):
            held = Held(row.participant_id, f"remote-{site.number}-{number}", site.number)
            machine.store[row.internal_id] = held
            row.my_veeva_participant_id = held.remote_id
        Participant.objects.bulk_update(rows, ["my_veeva_participant_id"])
        return rows

    return make


def go_round(mapping, policy=AT_ONCE, hurried=True, steps=40):
    cycle = cycling.begin(mapping, label="Test", now=clock.now(), hurried=hurried)
    for _ in range(steps):
        cycling.work(cycle_id=cycle.pk, policy=policy)
        cycle.refresh_from_db()
        if not cycle.is_running:
            break
        ReadBackCycle.objects.update(not_before=clock.now())
    return cycle


def kinds():
    return sorted(Discrepancy.objects.filter(state="open").values_list("kind", flat=True))


@pytest.mark.evidence
def test_five_mutations_are_all_found_in_one_round_without_false_alarm_within_the_budget(study, machine, synced, goal):
    c2 = goal("UX-C2")
    amount = c2.count(small=60, full=1000)
    eu = make_site(study.mapping, "2001")
    machine.regions["2001"] = f"https://eu.{HOST}/"
    rows = synced(amount // 2) + synced(amount - amount // 2, eu)
    StudyMapping.objects.update(radar_calls_per_hour=2 * amount)
    mutated = [rows[place] for place in (3, 17, 25, amount - 9, amount - 2)]
    machine.store[mutated[0].internal_id].participant_id = "changed-there"
    del machine.store[mutated[1].internal_id]
    machine.store[mutated[2].internal_id].site = "2001"
    machine.store[mutated[3].internal_id].remote_id = "made-anew"
    del machine.store[mutated[4].internal_id]

    cycle = go_round(study.mapping)

    found = set(Discrepancy.objects.values_list("participant__internal_id", flat=True))
    calls = CallHour.objects.aggregate(total=Sum("calls"))["total"]
    figure = {
        "participants": amount,
        "found": len(found & {row.internal_id for row in mutated}),
        "false": len(found - {row.internal_id for row in mutated}),
        "rounds": ReadBackCycle.objects.count(),
        "calls": calls,
        "budget": 2 * amount,
    }
    made = sum(machine.calls[name] for name in ("get", "discover", "authorize"))
    ok = figure["found"] == 5 and figure["false"] == 0 and made == calls == cycle.calls <= figure["budget"]
    c2.reached(figure=figure, target={"found": 5, "false": 0}, ok=ok and cycle.state == "finished")
    assert kinds() == ["id_differs", "id_differs", "missing", "missing", "region_moved"]
    assert (cycle.read, cycle.found, cycle.unread) == (amount, 5, 0)


def test_participant_found_in_another_region_is_shown_by_place_on_both_sides(study, machine, synced):
    eu = make_site(study.mapping, "2001")
    machine.regions["2001"] = f"https://eu.{HOST}/"
    [row], _others = synced(1), synced(1, eu)
    machine.store[row.internal_id].site = "2001"

    go_round(study.mapping)

    moved = Discrepancy.objects.get()
    assert (moved.kind, moved.our_side) == ("region_moved", f"Site {study.site.number} (https://us.{HOST}/)")
    assert moved.their_side == f"Site 2001 (https://eu.{HOST}/)"
    changes = AuditEvent.objects.get(event="discrepancy.found").changes
    assert (changes["ours"][1], changes["eCOA's"][1]) == (moved.our_side, moved.their_side)
    stamp = moved.stamp
    ReadBackCycle.objects.all().delete()
    go_round(study.mapping)
    moved.refresh_from_db()
    assert moved.stamp == stamp


def test_what_agrees_again_is_cleared_by_itself(study, machine, synced):
    [row] = synced(1)
    machine.store[row.internal_id].participant_id = "changed-there"
    go_round(study.mapping)
    assert SiteReading.objects.get(site=study.site).open == 1

    machine.store[row.internal_id].participant_id = row.participant_id
    cycle = go_round(study.mapping)

    over = Discrepancy.objects.get()
    assert (over.state, cycle.cleared) == ("cleared", 1)
    assert SiteReading.objects.get(site=study.site).open == 0
    assert AuditEvent.objects.filter(event__startswith="discrepancy.").count() == 2
    assert list(Evidence.objects.order_by("pk").values_list("verdict", flat=True))[-1] == "confirmed"


def test_found_twice_is_one_discrepancy(study, machine, synced):
    [row] = synced(1)
    del machine.store[row.internal_id]

    first, second = go_round(study.mapping), go_round(study.mapping)

    assert (Discrepancy.objects.count(), first.found, second.found) == (1, 1, 0)


def test_agreement_is_confirmed_on_the_participant_and_counted_at_the_site(study, machine, synced):
    synced(3)

    go_round(study.mapping)

    reading = SiteReading.objects.get()
    assert (reading.agreed, reading.differing, reading.open) == (3, 0, 0)
    assert ReadBack.objects.filter(agrees=True, confirmed_at__isnull=False).count() == 3
    assert set(Participant.objects.values_list("confirmed_version", flat=True)) == {1}
    assert not Evidence.objects.exists()


def test_our_own_change_makes_an_older_confirmation_worthless(study, machine, synced):
    synced(2)
    go_round(study.mapping)

    Participant.objects.filter(pk=Participant.objects.first().pk).update(participant_id="new", version=2)

    assert SiteReading.objects.get().agreed == 1


def test_pending_change_is_no_drift(study, machine, synced):
    synced(1)
    study.run(scope=Scope.ALL)
    Participant.objects.update(participant_id="new", version=2, status="waiting")

    go_round(study.mapping)

    assert not Discrepancy.objects.exists()


@pytest.mark.parametrize("fault", ["500", "ue", "html", "cut", "drop_request"])
def test_failures_are_no_drift_and_everything_is_read_in_the_same_round(study, machine, synced, fault):
    rows = synced(12)
    for row in rows[::3]:
        machine.get_faults[row.internal_id] = [fault] * 4

    cycle = go_round(study.mapping)

    assert (cycle.state, cycle.read, cycle.unread, kinds()) == ("finished", 12, 0, [])


def test_one_wrong_answer_is_looked_at_twice_before_it_is_an_alarm(study, machine, synced):
    [row] = synced(1)
    machine.get_faults[row.internal_id] = ["refuse:NF-0004"]

    go_round(study.mapping)

    assert kinds() == []


def test_silent_service_ends_no_round_and_finds_nothing(study, machine, synced):
    synced(20)
    machine.down = True

    cycle = go_round(study.mapping, steps=2)

    assert (cycle.is_running, cycle.cursor < "z", cycle.setbacks > 0, kinds()) == (True, True, True, [])
    machine.down = False
    for _ in range(4):
        ReadBackCycle.objects.update(not_before=clock.now())
        cycling.work(cycle_id=cycle.pk, policy=AT_ONCE)
    cycle.refresh_from_db()
    assert (cycle.state, cycle.read) == ("finished", 20)


def test_busy_service_is_left_alone_for_as_long_as_it_asks(study, machine, synced):
    [row] = synced(1)
    machine.get_faults[row.internal_id] = ["busy"]
    cycle = cycling.begin(study.mapping, label="Test", now=clock.now(), hurried=True)

    cycling.work(cycle_id=cycle.pk, policy=AT_ONCE)

    cycle.refresh_from_db()
    assert (machine.calls["get"], cycle.is_running) == (1, True)
    assert cycle.not_before - clock.now() > timedelta(seconds=3)


def test_budget_of_the_hour_is_never_exceeded(study, machine, synced):
    synced(30)
    StudyMapping.objects.update(radar_calls_per_hour=10)

    cycle = go_round(study.mapping, steps=5)

    assert sum(machine.calls[name] for name in ("get", "discover", "authorize")) == 10
    assert CallHour.objects.get().calls == 10
    assert cycle.is_running


def test_scheduled_round_spreads_over_the_day(study, machine, synced):
    synced(30)
    calm = replace(AT_ONCE, least=10, batch=10)
    cycle = cycling.begin(study.mapping, label="Test", now=clock.now())

    cycling.work(cycle_id=cycle.pk, policy=calm)

    cycle.refresh_from_db()
    assert cycle.read == 10
    assert cycle.not_before - clock.now() > timedelta(hours=1)


def test_nothing_is_read_while_a_run_is_open(study, machine, synced):
    synced(2)
    cycle = cycling.begin(study.mapping, label="Test", now=clock.now(), hurried=True)
    make_run(study.mapping)

    assert cycling.work(cycle_id=cycle.pk, policy=AT_ONCE) == 0
    assert machine.calls["get"] == 0


def test_what_was_sent_while_we_asked_is_judged_next_time(study, machine, synced):
    rows = synced(2)
    del machine.store[rows[0].internal_id]
    looked = cycling.begin(study.mapping, label="Test", now=clock.now(), hurried=True)
    Participant.objects.filter(pk=rows[0].pk).update(version=2)

    cycling.work(cycle_id=looked.pk, policy=AT_ONCE)

    assert Discrepancy.objects.get().version == 2


def test_moved_region_of_a_site_is_found_and_cleared_when_it_comes_back(study, machine, synced):
    synced(2)
    go_round(study.mapping)
    machine.regions["1005"] = f"https://eu.{HOST}/"

    go_round(study.mapping)

    moved = Discrepancy.objects.get()
    assert (moved.kind, moved.participant, moved.our_value) == ("region_moved", None, f"https://us.{HOST}/")
    assert moved.their_value == f"https://eu.{HOST}/"
    machine.regions["1005"] = f"https://us.{HOST}/"
    go_round(study.mapping)
    assert kinds() == []


@pytest.mark.parametrize(
    ("code", "kind"), [("NF-0003", "site_unmapped"), ("ID-0002", "site_unmapped"), ("NF-0002", "mapping_gone")]
)
def test_unmapped_site_or_study_is_one_finding_of_the_site(study, machine, synced, code, kind):
    synced(20)
    machine.discover_answer = failure(code, "NOT_FOUND")

    cycle = go_round(study.mapping)

    assert (kinds(), cycle.unread) == ([kind], 20)
    assert machine.calls["get"] == 0
    machine.discover_answer = None
    go_round(study.mapping)
    assert kinds() == []


def test_rounds_begin_when_due_and_only_for_studies_that_are_on(study, machine, synced):
    synced(1)
    now = clock.now()

    cycling.tick(now=now)
    ReadBackCycle.objects.update(state="finished")
    cycling.tick(now=now + timedelta(hours=23))
    assert ReadBackCycle.objects.count() == 1
    cycling.tick(now=now + timedelta(hours=24))
    assert ReadBackCycle.objects.count() == 2
    ReadBackCycle.objects.update(state="finished")
    StudyMapping.objects.update(radar_is_on=False)
    cycling.tick(now=now + timedelta(hours=90))

    assert ReadBackCycle.objects.count() == 2


def test_worker_that_lost_the_round_writes_nothing(study, machine, synced):
    [row] = synced(1)
    del machine.store[row.internal_id]
    cycle = cycling.begin(study.mapping, label="Test", now=clock.now(), hurried=True)
    late = replace(AT_ONCE, lease=timedelta(seconds=3))
    [claimed] = cycling.claims.claim(
        ReadBackCycle.objects.order_by("pk"), limit=1, lease=late.lease, now=clock.now()
    ).ids

    assert cycling.work(cycle_id=claimed, policy=AT_ONCE) == 0
    assert (cycle.pk, Discrepancy.objects.count()) == (claimed, 0)
