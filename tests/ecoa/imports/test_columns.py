import csv
import io

import pytest

from ecoa.imports import columns
from ecoa.imports.problems import FileRefused
from ecoa.imports.reading import open_table
from ecoa.models import ColumnMapping, FileChunk, FileImport, FileRow, ImportState
from ecoa.services import choosing, importing
from ecoa.services.choosing import Choice
from ecoa.services.refusals import Refused
from tests.connections.pages import sign_in
from tests.ecoa.imports.files import csv_file, xlsx_file
from tests.factories.ecoa import make_mapping
from vaultadmin import clock
from vaultadmin.models import AuditEvent

HEADING = "Centre,Birth year,Subj,Key"
ROWS = ("1005,1960,p-1,i-1", "1005,1961,p-2,i-2")
CHOICE = Choice(site=0, participant_id=2, internal_id=3)


def receive(study, file=None, mapping=None):
    content = file or csv_file(*ROWS, heading=HEADING)
    return importing.receive(
        mapping=mapping or study.mapping, file=content, name="list.csv", by=study.manager, now=clock.now()
    )


def choose(study, file, choice=CHOICE, save_as=""):
    return importing.choose_columns(file, choice=choice, save_as=save_as, by=study.manager, now=clock.now())


def test_file_whose_headings_tell_too_little_waits_for_a_person(study):
    received = receive(study)

    assert (received.state, received.heading) == (ImportState.MAPPING, ["Centre", "Birth year", "Subj", "Key"])
    assert received.sample[0] == ["1005", "1960", "p-1", "i-1"]
    assert not FileRow.objects.exists()


@pytest.mark.parametrize("content", [None, xlsx_file((1005, 1960, "p-1", "i-1"), heading=HEADING.split(","))])
def test_chosen_columns_are_read_and_the_others_are_named_as_ignored(study, content):
    done = choose(study, receive(study, content))

    assert (done.state, done.new, done.bad) == (ImportState.READY, done.row_count, 0)
    assert done.ignored_columns == ["Birth year"]
    assert [heading for _label, heading in done.used_columns] == ["Centre", "Subj", "Key"]
    assert not FileRow.objects.filter(participant_id__contains="19").exists()


def test_columns_can_be_chosen_anew_until_the_file_is_imported(study):
    first = receive(study, csv_file("1005,p-1,i-1", heading="site,participantId,internalId"))

    turned = choose(study, first, Choice(site=0, participant_id=2, internal_id=1))
    importing.confirm(turned, by=study.manager, now=clock.now())

    assert study.site.participants.get().participant_id == "i-1"
    with pytest.raises(Refused, match="no longer"):
        choose(study, turned)


def test_saved_columns_are_used_for_files_with_the_same_first_row(study):
    choose(study, receive(study), save_as="Site lists")

    again = receive(study, csv_file("1005,1970,p-3,i-3", heading=" CENTRE ,birth  year,subj,KEY"))

    assert (again.state, str(again.columns_from)) == (ImportState.READY, "Site lists")
    assert receive(study, mapping=make_mapping(study.manager, external_study_id="2")).state == ImportState.MAPPING


def test_saved_columns_are_edited_deleted_and_audited(study):
    choose(study, receive(study), save_as="Site lists")
    saved = ColumnMapping.objects.get()

    choosing.edit(saved, name="Lists", choice=Choice(0, 3, 2), by=study.manager)
    choosing.forget(ColumnMapping.objects.get(), by=study.manager)

    events = AuditEvent.objects.filter(event__startswith="column_mapping").order_by("sequence")
    assert [row.event for row in events] == [
        "column_mapping.created",
        "column_mapping.edited",
        "column_mapping.deleted",
    ]
    assert events[1].changes == {
        "name": ["Site lists", "Lists"],
        "participant ID": ["Subj", "Key"],
        "internal ID": ["Key", "Subj"],
    }
    assert receive(study).state == ImportState.MAPPING
    with pytest.raises(Refused):
        choosing.edit(saved, name="Lists", choice=Choice(0, 3, 2), by=study.manager)


def test_saving_for_the_same_first_row_again_replaces_what_was_saved(study):
    choose(study, receive(study), save_as="First")
    choose(study, FileImport.objects.get(), Choice(0, 3, 2), save_as="Second")

    assert ColumnMapping.objects.get().name == "Second"


@pytest.mark.parametrize("choice", [Choice(0, 0, 1), Choice(0, 1, 4), Choice(-1, 1, 2)])
def test_columns_that_are_not_three_of_the_file_are_refused(study, choice):
    received = receive(study)

    with pytest.raises(Refused):
        choose(study, received, choice)

    assert FileImport.objects.get().state == ImportState.MAPPING


def test_uploaded_bytes_are_kept_only_while_columns_can_be_chosen(study):
    received = choose(study, receive(study))
    assert FileChunk.objects.exists()

    importing.confirm(received, by=study.manager, now=clock.now())

    assert not FileChunk.objects.exists()
    assert FileImport.objects.get().sample == []


def test_control_characters_and_half_characters_in_headings_are_marked():
    book = xlsx_file(("1005", "p", "i", "x"), heading=("a", "b", "c", "d"))

    with open_table(book, choose=columns.guess) as table:
        assert table.columns is None


def test_first_row_with_a_million_columns_is_refused():
    with pytest.raises(FileRefused, match="too long"), open_table(csv_file("1", heading="," * 1_000_000)):
        pass
    with (
        pytest.raises(FileRefused, match="more than 256"),
        open_table(csv_file("1", heading="a," * 300), choose=columns.guess),
    ):
        pass


@pytest.mark.parametrize("row", ["," * 1_000_000, '"x\n",' * 1000])
def test_row_with_a_million_columns_is_refused_before_it_is_held(row):
    with pytest.raises(FileRefused, match="longer than any list"), open_table(csv_file(row)) as table:
        list(table.lines)


def test_refused_rows_are_a_file_that_opens_safely(study):
    received = receive(
        study, csv_file('1005,"=HYPERLINK(1)",i-1', "9999,p-2,i-2", heading="site,participantId,internalId")
    )
    client = sign_in(study.manager)

    answer = client.get(f"/v/{study.mapping.vault_id}/ecoa/import/{received.pk}/problems/")

    lines = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert lines[0] == ["line", "site", "participantId", "internalId", "why"]
    assert [line[2] for line in lines[1:]] == ["'=HYPERLINK(1)", "p-2"]
    assert "no site" in lines[2][4]


def test_person_says_which_column_is_which_on_a_page(study):
    client = sign_in(study.manager)
    root = f"/v/{study.mapping.vault_id}/ecoa/import/"
    upload = csv_file(*ROWS, heading=HEADING)
    upload.name = "list.csv"

    sent = client.post(root, {"mapping": study.mapping.pk, "file": upload})
    page = client.get(sent["Location"]).content.decode()
    wrong = client.post(sent["Location"], {"site": 0, "participant_id": 0, "internal_id": 1})
    right = client.post(sent["Location"], {"site": 0, "participant_id": 2, "internal_id": 3, "name": "Lists"})
    shown = client.get(right["Location"]).content.decode()

    assert "B: Birth year" in page
    assert (wrong.status_code, "three different columns" in wrong.content.decode()) == (422, True)
    assert "Ignored: “Birth year”" in shown
    assert "Lists" in client.get(f"{root}columns/").content.decode()
