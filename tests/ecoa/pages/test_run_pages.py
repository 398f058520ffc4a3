import csv
import io
from datetime import timedelta
from uuid import uuid4

import pytest

from ecoa.models import StudyMapping, SyncRun
from ecoa.services import runs, schedules
from ecoa.sync import planning, shares
from ecoa.sync.shares import Need, Pool
from tests.ecoa.pages.test_pages import sign_in, url
from tests.factories.ecoa import make_mapping, make_participants, make_run, make_site
from vaultadmin import clock


@pytest.fixture
def manager(study):
    return sign_in(study.manager)


@pytest.fixture
def running(study):
    study.participants(4)
    run = make_run(study.mapping)
    planning.freeze(run_id=run.pk, now=clock.now())
    return SyncRun.objects.get(pk=run.pk)


def page(client, study, run, query=""):
    return client.get(url(study, "run", run.pk) + query)


def test_run_is_paused_and_resumed_from_its_page(study, manager, running):
    manager.post(url(study, "run-pause", running.pk))
    paused = page(manager, study, running).content.decode()
    manager.post(url(study, "run-resume", running.pk))
    resumed = page(manager, study, running).content.decode()

    assert "Paused by" in paused
    assert "Paused: 0 of 4 participants are done." in paused
    assert "Paused by" not in resumed
    assert SyncRun.objects.get().state == "running"


def test_pause_of_a_run_that_is_over_says_why_not(study, manager, machine):
    run = study.run()

    assert manager.post(url(study, "run-pause", run.pk)).status_code == 422


def test_running_page_says_how_many_calls_are_under_way_and_is_304_until_that_changes(study, manager, running):
    def working(calls):
        need = Need(Pool("region x", 100), 40, calls=calls, is_region=True, pace=36, latency_ms=21, slowed="errors")
        shares.renew(run_id=running.pk, holder=holder, needs=[need], now=clock.now())

    holder = uuid4()
    working(12)
    seen = page(manager, study, running)
    same = manager.get(url(study, "run", running.pk), headers={"If-None-Match": seen["ETag"]})
    working(13)
    new = manager.get(url(study, "run", running.pk), headers={"If-None-Match": seen["ETag"]})

    text = " ".join(seen.content.decode().split())
    assert "12 calls under way, at most 36 at a time by 1 worker, an answer takes 21 ms." in text
    assert "eCOA answers with errors, so we ask less at a time." in text
    assert (same.status_code, new.status_code) == (304, 200)


def test_page_says_what_ecoa_asked_for_and_what_we_do_instead(study, manager, running):
    SyncRun.objects.update(held_asked=365 * 86_400, held_until=clock.now() + timedelta(seconds=299))

    text = page(manager, study, running).content.decode()

    assert "eCOA asked us to wait 365 days. We wait 5 min at most and then ask again." in text


def test_plan_and_result_add_up_with_a_reason_for_each(study, manager, machine):
    codes = ["NF-0003", "NF-0003", "ID-0001"]
    for participant, code in zip(study.participants(5), codes, strict=False):
        machine.faults[participant.internal_id] = [f"refuse:{code}"]
    run = study.run()

    assert (run.total, run.synced, run.rejected, run.look) == (5, 2, 3, "finished_with_failures")
    reasons = {(reason.state, reason.code): reason.amount for reason in run.reasons.all()}
    assert reasons == {("rejected", "NF-0003"): 2, ("rejected", "ID-0001"): 1}
    assert "Finished with failures" in page(manager, study, run).content.decode()
    assert page(manager, study, run, "?code=ID-0001").content.decode().count('id="item-') == 1


def test_cancelled_participants_are_in_the_result_with_the_reason(study, manager, running):
    runs.cancel(running, by=study.manager, now=clock.now())
    run = study.finish(running)

    assert {(reason.state, reason.amount) for reason in run.reasons.all()} == {("cancelled", 4)}
    assert "Not sent before the run ended" in page(manager, study, run).content.decode()


def test_error_file_has_a_line_for_each_failure_and_no_formula(study, manager, machine):
    good, bad = study.participants(1), study.participants(1, participant_id="=cmd()")
    machine.faults[bad[0].internal_id] = ["refuse:ID-0001"]
    run = study.run()

    response = manager.get(url(study, "run-errors", run.pk))

    lines = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    assert [line["participantId"] for line in lines] == ["'=cmd()"]
    assert lines[0]["code"] == "ID-0001"
    assert lines[0]["what happened"]
    assert good[0].participant_id not in response.getvalue().decode()


def test_chosen_participants_are_sent_and_nobody_else(study, manager, machine):
    one, two, _three = study.participants(3)
    typed = f"{one.participant_id}\n {two.participant_id} \n"

    manager.post(url(study, "run-start"), {"mapping": study.mapping.pk, "scope": "chosen", "participants": typed})

    assert study.finish(SyncRun.objects.get()).total == 2


@pytest.mark.parametrize("typed", ["", "nobody"])
def test_chosen_participants_that_do_not_exist_are_named(study, manager, typed):
    study.participants(1)
    values = {"mapping": study.mapping.pk, "scope": "chosen", "participants": typed}

    response = manager.post(url(study, "run-start"), values)

    assert response.status_code == 422
    assert not SyncRun.objects.exists()


def test_participants_of_another_vault_cannot_be_chosen(study, manager):
    foreign = make_participants(make_site(make_mapping()), 1)[0]
    values = {"mapping": study.mapping.pk, "scope": "chosen", "participants": foreign.participant_id}

    assert manager.post(url(study, "run-start"), values).status_code == 422
    assert (
        foreign.participant_id
        not in manager.get(url(study, "run-start") + f"?participant={foreign.pk}").content.decode()
    )


def test_ticked_participants_stand_in_the_form(study, manager):
    one, two = study.participants(2)

    text = manager.get(url(study, "run-start") + f"?participant={one.pk}&participant={two.pk}").content.decode()

    assert f"{one.participant_id}\n{two.participant_id}" in text


def test_schedule_set_on_the_page_is_on_the_mapping_and_in_the_list(study, manager):
    values = {"minutes": "60", "opens": "08:00", "closes": "18:00", "days": ["1", "5"], "zone": "Europe/Berlin"}

    response = manager.post(url(study, "mapping-schedule", study.mapping.pk), values)

    text = manager.get(response["Location"]).content.decode()
    mapping = StudyMapping.objects.get()
    assert "Every hour from 08:00 to 18:00 on Mon, Fri (Europe/Berlin)." in text
    assert mapping.next_run_at.isoformat()[:16] in manager.get(url(study, "mappings")).content.decode()


@pytest.mark.parametrize("values", [{"zone": "Mars/Base"}, {"minutes": "7"}, {"days": ["9"]}, {"opens": "25:00"}])
def test_schedule_that_cannot_be_is_refused_with_the_form(study, manager, values):
    response = manager.post(url(study, "mapping-schedule", study.mapping.pk), {"minutes": "60", "zone": "UTC"} | values)

    assert response.status_code == 422
    assert StudyMapping.objects.get().next_run_at is None


def test_waiting_schedule_says_so_in_the_list(study, manager, running):
    values = {"minutes": 60, "opens": None, "closes": None, "days": [], "zone": "UTC", "paused": False}
    schedules.edit(study.mapping, by=study.manager, now=clock.now(), **values)
    schedules.start_due(now=clock.now())

    assert "Waits until the open run is over" in manager.get(url(study, "mappings")).content.decode()
