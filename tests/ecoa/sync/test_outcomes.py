import pytest

from ecoa.models import Attempt, Participant, SyncItem
from tests.ecoa.conftest import QUICK


def test_sync_new_participants_ends_with_all_in_ecoa(study, machine):
    participants = study.participants(5)

    run = study.run()

    assert (run.state, run.total, run.synced) == ("finished", 5, 5)
    assert {p.internal_id for p in participants} == set(machine.store)
    assert set(Participant.objects.values_list("status", "synced_version", "stage")) == {("synced", 1, 4)}
