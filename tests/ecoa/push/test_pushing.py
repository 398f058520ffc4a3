import pytest

from ecoa import sources
from ecoa.models import Participant, RunState, Scope, SyncRun
from ecoa.services import runs
from tests.ecoa.push.conftest import make_token, rows
from tests.factories.ecoa import make_mapping, make_site
from tests.factories.people import make_member, make_vault
from vaultadmin import clock
from vaultadmin.models import ApiUsage, AuditEvent
from vaultadmin.permissions import Permission


def statuses(answer):
    return [(row["index"], row["internalId"], row["status"], row["code"]) for row in answer.json()["rows"]]


def test_pushed_participants_are_stored_and_go_to_ecoa(rtsm, machine):
    answer = rtsm.push(rows(1, 2))

    run = SyncRun.objects.get(pk=answer.json()["run"])
    assert answer.status_code == 202
    assert answer.json().keys() == {"run", "rows"}
    assert statuses(answer) == [(0, "i-1", "created", None), (1, "i-2", "created", None)]
    assert rtsm.study.finish(run).synced == 2
    assert rtsm.run(run.pk).json()["state"] == "finished"


def test_pushed_participants_say_which_machine_owns_them(rtsm):
    rtsm.push(rows(1))

    participant = Participant.objects.get()
    assert (participant.source, participant.source_name) == (sources.PUSH, "RTSM")
    assert "RTSM" in participant.owner
    assert "comes by itself" in participant.lock


def test_changed_id_is_a_new_version_and_an_unchanged_one_is_left_alone(rtsm):
    rtsm.push(rows(1, 2))
    Participant.objects.update(status="synced", synced_version=1)
    SyncRun.objects.update(state=RunState.FINISHED)

    answer = rtsm.push([{"participantId": "1005-900", "internalId": "i-1"}, *rows(2)])

    assert statuses(answer) == [(0, "i-1", "changed", None), (1, "i-2", "unchanged", None)]
    assert set(Participant.objects.values_list("participant_id", "version")) == {("1005-900", 2), ("1005-002", 1)}
    assert len(SyncRun.objects.get(pk=answer.json()["run"]).chosen) == 1


def test_push_without_news_plans_no_run(rtsm):
    rtsm.push(rows(1))
    Participant.objects.update(status="synced", synced_version=1)
    SyncRun.objects.update(state=RunState.FINISHED)

    assert rtsm.push(rows(1)).json()["run"] is None


def test_push_during_a_run_names_the_run_that_waits_behind_it(rtsm):
    runs.plan(mapping=rtsm.study.mapping, scope=Scope.ALL, by=rtsm.study.manager, now=clock.now())

    first, second = rtsm.push(rows(1)).json(), rtsm.push(rows(2)).json()

    told = rtsm.run(first["run"]).json()
    assert (second["run"], told["state"], told["total"]) == (first["run"], "queued", 0)


def test_rows_that_cannot_be_stored_are_told_one_by_one_and_the_others_are(rtsm):
    other = make_site(rtsm.study.mapping, "2001")
    rtsm.study.participants(1, participant_id="elsewhere", internal_id="i-7", site=other)
    rtsm.study.participants(1, participant_id="taken", internal_id="i-8")

    answer = rtsm.push(
        [
            *rows(1),
            {"participantId": "twice", "internalId": "i-2"},
            {"participantId": "twice", "internalId": "i-3"},
            {"participantId": "=1+1", "internalId": "i-4"},
            {"participantId": "", "internalId": "i-5"},
            {"participantId": "x" * 256, "internalId": "i-6"},
            {"participantId": "1005-007", "internalId": "i-7"},
            {"participantId": "taken", "internalId": "new"},
            {"participantId": "a\u200bb", "internalId": "i-9"},
        ]
    )

    assert [(row["status"], row["code"]) for row in answer.json()["rows"]] == [
        ("created", None),
        ("refused", "duplicate-participant-id"),
        ("refused", "duplicate-participant-id"),
        ("refused", "formula"),
        ("refused", "missing-participant-id"),
        ("refused", "too-long"),
        ("refused", "other-site"),
        ("refused", "internal-id-change"),
        ("refused", "control"),
    ]
    assert answer.json()["rows"][2]["message"].endswith("first at index 1.")
    assert "site 2001" in answer.json()["rows"][6]["message"]
    assert Participant.objects.filter(source=sources.PUSH).count() == 1


def test_push_takes_over_what_a_file_brought_and_a_file_cannot_take_it_back(rtsm):
    rtsm.study.participants(1, participant_id="1005-001", internal_id="i-1")

    assert statuses(rtsm.push(rows(1))) == [(0, "i-1", "unchanged", None)]

    assert Participant.objects.get().source == sources.PUSH
    assert AuditEvent.objects.get(event="participant.source_changed").changes == {
        "source": ["File import", "Pushed by another system"]
    }


def test_trail_names_the_call_and_does_not_crowd_out_what_people_did(rtsm):
    rtsm.push(rows(1, 2))

    call = ApiUsage.objects.get()
    trail = AuditEvent.objects.filter(reason=f"Push {call.execution_id}")
    assert sorted(trail.values_list("event", flat=True)) == [
        "participant.created",
        "participant.created",
        "participants.pushed",
    ]
    assert not AuditEvent.objects.filter(actor_id=str(call.user_id), in_bulk=False).exclude(
        event__startswith="api_token"
    )


def test_push_ends_the_silence_of_its_site(rtsm):
    rtsm.push(rows(1))

    rtsm.study.site.refresh_from_db()
    assert rtsm.study.site.last_arrival_at is not None


@pytest.mark.parametrize("place", ["/studies/none/sites/1005/", "/studies/{study}/sites/9999/"])
def test_unknown_place_is_not_found(rtsm, place):
    path = place.format(study=rtsm.study.mapping.external_study_id)

    answer = rtsm.push(rows(1), path=f"{rtsm.root}{path}participants")

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_run_of_another_vault_is_not_found(rtsm):
    elsewhere = make_mapping()
    run = runs.plan(mapping=elsewhere, scope=Scope.ALL, by=elsewhere.vault.memberships.get(), now=clock.now())

    assert rtsm.run(run.pk).status_code == 404


def test_run_tells_what_it_could_not_bring_over(rtsm, machine):
    machine.faults["i-1"] = ["refuse:ID-0003"]
    run = rtsm.push(rows(1, 2)).json()["run"]
    rtsm.study.finish(SyncRun.objects.get(pk=run))

    told = rtsm.run(run).json()
    assert (told["synced"], told["rejected"], told["left"]) == (1, 1, 0)
    assert [(row["internalId"], row["code"]) for row in told["failures"]] == [("i-1", "ID-0003")]


def test_token_of_another_vault_sees_neither_the_vault_nor_that_it_exists(rtsm):
    elsewhere = make_token(make_member(make_vault(), Permission.API_ACCESS, Permission.ECOA_MANAGE))
    missing = rtsm.path.replace(f"/v/{rtsm.study.mapping.vault_id}/", "/v/999999/")

    foreign, nowhere = rtsm.push(rows(1), token=elsewhere), rtsm.push(rows(1), token=elsewhere, path=missing)

    assert (foreign.status_code, nowhere.status_code) == (404, 404)
    assert foreign.json() == nowhere.json()
    assert not Participant.objects.exists()


@pytest.mark.parametrize("token", ["", "va_wrong", "x" * 128])
def test_caller_nobody_knows_is_sent_away(rtsm, token):
    answer = rtsm.push(rows(1), token=token)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_token_without_the_scope_may_not_push(rtsm):
    narrow = make_token(make_member(rtsm.study.mapping.vault, Permission.API_ACCESS), Permission.API_ACCESS)

    answer = rtsm.push(rows(1), token=narrow)

    assert answer.status_code == 403
    assert "eCOA: Manage" in answer.json()["detail"]
