import json

import pytest
from django.core.management import CommandError, call_command

from ecoa.models import Participant, SyncRun
from tests.ecoa.imports.files import csv_file
from tests.factories.ecoa import make_run


@pytest.fixture
def run_command(study, tmp_path, capsys):
    def run(*rows, **changes):
        path = tmp_path / "participants.csv"
        path.write_bytes(csv_file(*rows).getvalue())
        options = {
            "vault": study.mapping.vault_id,
            "connection": study.mapping.connection.api_name,
            "study": study.mapping.external_study_id,
            "file": str(path),
        } | changes
        status = 0
        try:
            call_command("sync_participants", **options)
        except SystemExit as end:
            status = end.code
        return status, capsys.readouterr()

    return run


def test_command_waits_and_prints_the_counts(run_command, machine):
    machine.faults["i-2"] = ["refuse:ID-0003"]

    status, printed = run_command("1005,p-1,i-1", "1005,p-2,i-2", wait=True, json=True)

    counts = json.loads(printed.out)
    assert status == 1
    assert counts.pop("seconds") > 0
    assert counts == {"run": SyncRun.objects.get().pk, "total": 2, "synced": 1, "rejected": 1, "unknown": 0}
    assert list(json.loads(printed.out)) == ["run", "total", "synced", "rejected", "unknown", "seconds"]


def test_command_is_done_when_all_are_in_ecoa(run_command, machine):
    status, printed = run_command("1005,p-1,i-1", wait=True)

    assert status == 0
    assert "1 of 1 participants are in eCOA" in printed.out


def test_command_without_wait_prints_the_run_only(run_command, machine):
    status, printed = run_command("1005,p-1,i-1", json=True)

    assert (status, json.loads(printed.out)) == (0, {"run": SyncRun.objects.get().pk})
    assert machine.calls["post"] == 0


def test_command_twice_with_one_file_creates_nobody_twice(run_command, machine):
    run_command("1005,p-1,i-1", wait=True)
    status, printed = run_command("1005,p-1,i-1", wait=True, json=True)

    assert (status, json.loads(printed.out)["synced"]) == (0, 1)
    assert len(machine.store) == 1
    assert Participant.objects.count() == 1


def test_command_leaves_bad_rows_out_and_says_why(run_command, machine):
    status, printed = run_command("1005,p-1,i-1", "9999,p-2,i-2", wait=True, json=True)

    assert (status, json.loads(printed.out)["total"]) == (1, 1)
    assert "Line 3: The study has no site with this number." in printed.err


@pytest.mark.parametrize(
    "changes",
    [{"vault": 1}, {"connection": "nope"}, {"study": "nope"}, {"file": "/nowhere/x.csv"}, {"file": __file__}],
    ids=["vault", "connection", "study", "missing-file", "wrong-file"],
)
def test_command_refuses_wrong_use_with_one_sentence(run_command, machine, changes):
    with pytest.raises(CommandError) as caught:
        run_command("1005,p-1,i-1", **changes)

    assert caught.value.returncode == 2
    assert "\n" not in str(caught.value)


def test_command_sees_a_run_under_way_through_before_its_own(run_command, study, machine):
    study.participants(2)
    earlier = make_run(study.mapping)

    status, _printed = run_command("1005,p-1,i-1", wait=True)

    assert status == 0
    assert not SyncRun.objects.get(pk=earlier.pk).is_open
