from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace

import pytest
from django.db import connection

from ecoa.service import seeding, store
from ecoa.service.models import ServiceParticipant
from ecoa.service.refusals import Refusal
from tests.ecoa.service.caller import Caller, mint
from tests.ecoa.service.conftest import seed
from vaultadmin import clock

WORKERS = 8


@pytest.fixture
def place(transactional_db):
    study = seeding.ensure_study("concurrent study")
    first, second = (seeding.ensure_site(study, number, "us") for number in ("1", "2"))
    return SimpleNamespace(study=study, sites=[first, second])


def together(*writes):
    """Run each write in a thread of its own, all released at one moment; refusals come back as their code."""
    start = Barrier(len(writes))

    def run(write):
        try:
            start.wait(timeout=10)
            return write()
        except Refusal as refusal:
            return refusal.code.value
        finally:
            connection.close()

    with ThreadPoolExecutor(len(writes)) as threads:
        return list(threads.map(run, writes))


def write(place, internal, participant, site=0):
    spot = store.Spot(place.study.pk, place.sites[site].pk, "us")
    return lambda: store.upsert(spot, internal_id=internal, participant_id=participant, now=clock.now())


def test_one_new_participant_written_by_many_exists_once(place):
    for round_ in range(20):
        results = together(*[write(place, f"i{round_}", f"p{round_}", site=n % 2) for n in range(WORKERS)])

        stored = ServiceParticipant.objects.get(internal_id=f"i{round_}")
        assert set(results) == {stored.my_veeva_participant_id}


def test_one_participant_id_wanted_by_many_goes_to_one(place):
    for round_ in range(20):
        results = together(*[write(place, f"i{round_}-{n}", f"p{round_}") for n in range(WORKERS)])

        stored = ServiceParticipant.objects.get(participant_id=f"p{round_}")
        assert sorted(map(str, results)) == sorted([str(stored.my_veeva_participant_id), *["ID-0003"] * (WORKERS - 1)])


def test_two_participants_swapping_ids_never_end_with_the_same(place):
    for round_ in range(10):
        one, two = f"a{round_}", f"b{round_}"
        write(place, one, one)(), write(place, two, two)()

        results = together(write(place, one, two), write(place, two, one))

        assert results == ["ID-0003", "ID-0003"]
        assert set(ServiceParticipant.objects.values_list("internal_id", "participant_id")) >= {(one, one), (two, two)}


def test_renames_and_writes_at_once_keep_both_promises(place):
    writes = [write(place, f"i{n % 3}", f"p{(n * 7) % 4}") for n in range(WORKERS)]

    for _ in range(15):
        together(*writes)

        rows = ServiceParticipant.objects.values_list("internal_id", "participant_id", "my_veeva_participant_id")
        assert all(len(set(column)) == len(column) for column in zip(*rows, strict=True))


def test_callers_at_once_get_one_participant_over_http(transactional_db):
    seed()
    token = mint()

    def call(site):
        return lambda: Caller().written("1005-001", "i-1", token=token, site=site)

    for _ in range(3):
        results = together(*[call(site) for site in ("1005", "1006") for _ in range(WORKERS // 2)])

        stored = ServiceParticipant.objects.get(internal_id="i-1")
        assert set(results) == {str(stored.my_veeva_participant_id)}
