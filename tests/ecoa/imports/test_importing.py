import io
import random
from datetime import timedelta

import pytest
from django.db.models import F
from django.urls import reverse

from ecoa.imports.problems import sentence
from ecoa.models import FileImport, FileRow, ImportState, Participant
from ecoa.services import importing, storing
from ecoa.services.refusals import Refused
from tests.ecoa.imports.files import csv_file, xlsx_file
from tests.factories.ecoa import make_mapping, make_site
from tests.factories.people import make_member
from tests.guards.world import signed_in
from vaultadmin import clock
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import PermissionRefused


def receive(study, file, name="participants.csv", by=None):
    return importing.receive(mapping=study.mapping, file=file, name=name, by=by or study.manager, now=clock.now())


def confirm(study, received):
    return importing.confirm(received, by=study.manager, now=clock.now())


def problems_of(received):
    rows = FileRow.objects.filter(file=received, problems__isnull=False).order_by("line")
    return {row.line: [problem.partition(":")[0] for problem in row.problems] for row in rows}


def test_preview_counts_and_stores_no_participant(study):
    received = receive(study, csv_file("1005,p-1,i-1", "1005,p-2,i-2"))

    assert (received.state, received.row_count, received.new, received.bad) == (ImportState.READY, 2, 2, 0)
    assert not Participant.objects.exists()


def test_preview_names_every_row_that_cannot_be_imported(study):
    received = receive(
        study,
        csv_file(
            "1005,p-1,i-1",
            "9999,p-2,i-2",
            "1005,p-3,i-3",
            "1005,p-3,i-4",
            "1005,p-5,i-3",
            "1005,,i-6",
            "1005,=1+1,i-7",
            "1005,p-8,i-8,more,cells",
            "1005,p-9",
        ),
    )

    assert problems_of(received) == {
        3: ["unknown-site"],
        4: ["duplicate-participant-id", "duplicate-internal-id"],
        5: ["duplicate-participant-id"],
        6: ["duplicate-internal-id"],
        7: ["missing-participant-id"],
        8: ["formula"],
        9: ["too-many-columns"],
        10: ["missing-internal-id"],
    }
    assert (received.good, received.bad) == (1, 8)


def test_duplicates_say_where_the_first_is(study):
    received = receive(study, csv_file("1005,p-1,i-1", "1005,p-1,i-2"))

    row = FileRow.objects.get(file=received, line=3)
    assert "line 2" in sentence(row.problems[0])


def test_preview_compares_with_what_the_study_holds(study):
    other = make_site(study.mapping, "2001")
    study.participants(1, participant_id="same", internal_id="i-1")
    study.participants(1, participant_id="old", internal_id="i-2")
    study.participants(1, participant_id="taken", internal_id="i-3")
    study.participants(1, participant_id="elsewhere", internal_id="i-4", site=other)

    received = receive(
        study,
        csv_file("1005,same,i-1", "1005,new,i-2", "1005,taken,unheard-of", "1005,elsewhere,i-4", "1005,fresh,i-6"),
    )

    assert problems_of(received) == {4: ["internal-id-change"], 5: ["other-site"]}
    assert (received.new, received.changed, received.same) == (1, 1, 1)


def test_participant_id_of_another_participant_is_taken(study):
    study.participants(1, participant_id="a", internal_id="i-1")
    study.participants(1, participant_id="b", internal_id="i-2")

    assert problems_of(receive(study, csv_file("1005,a,i-2"))) == {2: ["participant-id-taken"]}


def test_participants_of_another_study_do_not_clash(study):
    elsewhere = make_mapping(study.manager, external_study_id="study-2")
    make_site(elsewhere, "3001").participants.model.objects.count()
    study.participants(1, participant_id="p-1", internal_id="i-1", site=make_site(elsewhere, "1005"))

    assert receive(study, csv_file("1005,p-1,i-2")).new == 1


def test_confirmed_file_stores_the_good_rows_with_their_trail(study):
    received = receive(study, csv_file("1005,p-1,i-1", "9999,p-2,i-2", "1005,p-3,i-3"))

    done = confirm(study, received)

    assert (done.state, done.stored, done.skipped) == (ImportState.DONE, 2, 0)
    assert set(Participant.objects.values_list("participant_id", "status")) == {("p-1", "waiting"), ("p-3", "waiting")}
    assert AuditEvent.objects.filter(event="participant.created").count() == 2
    assert study.site.tally.__class__.objects.get(site=study.site).waiting == 2


def test_changed_id_waits_to_be_sent_as_a_new_version(study):
    [participant] = study.participants(1, participant_id="old", internal_id="i-1", status="synced", synced_version=1)

    confirm(study, receive(study, csv_file("1005,new,i-1")))

    after = Participant.objects.get(pk=participant.pk)
    assert (after.participant_id, after.version, after.synced_version, after.status) == ("new", 2, 1, "waiting")
    changes = AuditEvent.objects.get(event="participant.changed").changes
    assert changes == {"participant ID": ["old", "new"]}


def test_world_that_changed_since_the_preview_is_looked_at_again(study):
    received = receive(study, csv_file("1005,p-1,i-1", "1005,p-2,i-2"))
    study.participants(1, participant_id="p-2", internal_id="somebody")

    done = confirm(study, received)

    assert (done.stored, done.skipped) == (1, 1)
    assert problems_of(received) == {3: ["internal-id-change"]}


def test_confirming_twice_imports_once(study):
    received = receive(study, csv_file("1005,p-1,i-1"))

    confirm(study, received)
    confirm(study, received)

    assert Participant.objects.count() == 1


def test_file_without_a_good_row_cannot_be_confirmed(study):
    with pytest.raises(Refused):
        confirm(study, receive(study, csv_file("9999,p-1,i-1")))


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04xx", b"a,b\n1,2\n", b"site,participantId,internalId\n"])
def test_refused_file_leaves_nothing_behind(study, raw):
    with pytest.raises(Refused) as caught:
        receive(study, io.BytesIO(raw))

    assert caught.value.field == "file"
    assert not FileImport.objects.exists()
    assert not FileRow.objects.exists()


def test_xlsx_file_is_imported(study):
    done = confirm(study, receive(study, xlsx_file((1005, "p-1", "i-1"), (1005, "p-2", "i-2")), "list.xlsx"))

    assert (done.stored, done.encoding) == (2, "XLSX")


def test_large_file_is_left_to_a_worker(study, monkeypatch):
    monkeypatch.setattr(importing, "INLINE_ROWS", 1)
    received = receive(study, csv_file("1005,p-1,i-1", "1005,p-2,i-2"))
    assert received.state == ImportState.CHECKING

    importing.work(import_id=received.pk)
    confirm(study, received)
    importing.work(import_id=received.pk)

    assert FileImport.objects.get().state == ImportState.DONE


def test_import_cut_off_between_batches_goes_on_where_it_was(study, monkeypatch):
    monkeypatch.setattr(storing, "BATCH", 3)
    received = receive(study, csv_file(*(f"1005,p-{n},i-{n}" for n in range(10))))
    FileImport.objects.update(state=ImportState.STORING)
    first = importing.claims.claim(
        FileImport.objects.order_by("pk"), limit=1, lease=timedelta(seconds=-1), now=clock.now()
    )
    file = FileImport.objects.get()
    storing.store_batch(file=file, token=first.token, by=study.manager, lease=timedelta(seconds=-1), now=clock.now())

    importing.work(import_id=received.pk)

    assert (FileImport.objects.get().stored, Participant.objects.count()) == (10, 10)


@pytest.mark.parametrize("state", [ImportState.CHECKING, ImportState.STORING])
def test_file_that_ends_every_worker_is_given_up_and_says_so(study, monkeypatch, state):
    received = receive(study, csv_file("1005,p-1,i-1"))
    FileImport.objects.update(state=state)
    for _ in range(importing.TRIES):
        free = FileImport.objects.filter(pk=received.pk)
        importing.claims.claim(free, limit=1, lease=timedelta(seconds=-1), now=clock.now(), tries=F("tries") + 1)

    importing.work(import_id=received.pk)

    file = FileImport.objects.get()
    page = signed_in(study.manager.user).get(reverse("ecoa:file", args=[study.manager.vault_id, file.pk]))
    assert (file.state, file.lease_token) == (ImportState.REFUSED, None)
    assert "broke off 3 times in a row" in page.content.decode()
    assert AuditEvent.objects.filter(event="participant_file.given_up").count() == 1


def test_worker_that_lost_the_file_stores_nothing(study):
    received = receive(study, csv_file("1005,p-1,i-1"))
    FileImport.objects.update(state=ImportState.STORING)

    with pytest.raises(storing.LeaseLost):
        storing.store_batch(
            file=received, token=random_token(), by=study.manager, lease=timedelta(seconds=9), now=clock.now()
        )

    assert not Participant.objects.exists()


def test_discarded_file_cannot_be_imported(study):
    received = receive(study, csv_file("1005,p-1,i-1"))
    importing.discard(received, by=study.manager, now=clock.now())

    with pytest.raises(Refused):
        confirm(study, received)


def test_staged_rows_are_dropped_after_a_week(study):
    received = receive(study, csv_file("1005,p-1,i-1"))
    FileImport.objects.update(created_at=clock.now() - timedelta(days=8))

    assert importing.tidy(now=clock.now()) == 1
    assert FileImport.objects.get(pk=received.pk).state == ImportState.DISCARDED
    row = AuditEvent.objects.get(event="participant_file.discarded")
    assert (row.actor, row.reason) == ("Clean-up", "Nobody imported it within 7 days.")


def test_member_without_the_permission_cannot_import(study):
    with pytest.raises(PermissionRefused):
        receive(study, csv_file("1005,p-1,i-1"), by=make_member(study.mapping.vault))


def test_manager_of_another_vault_cannot_import(study):
    stranger = make_mapping().connection.vault.memberships.get()

    with pytest.raises(PermissionRefused):
        receive(study, csv_file("1005,p-1,i-1"), by=stranger)


def test_file_name_is_kept_without_folders_and_control_characters(study):
    received = receive(study, csv_file("1005,p-1,i-1"), name="C:\\x\\..\\a\r\nb.csv")

    assert received.file_name == "ab.csv"


def random_token():
    from uuid import UUID

    return UUID(int=random.getrandbits(128))
