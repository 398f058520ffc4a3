import io
import tracemalloc
import zipfile
from datetime import date

import openpyxl
import pytest

from ecoa.imports import xlsx
from ecoa.imports.problems import FileRefused
from ecoa.imports.reading import open_table
from tests.ecoa.imports.files import HEADING_ROW, SHEET, csv_file, inline, raw_xlsx, xlsx_file


def rows(file):
    with open_table(file) as table:
        at = table.columns
        return [(line, cells[at.site], cells[at.participant_id], cells[at.internal_id]) for line, cells in table.lines]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_csv_in_any_usual_encoding_is_read(encoding):
    file = csv_file("1005,1005-00é,i-1", "1005,1005-002,i-2", encoding=encoding)

    assert rows(file) == [(2, "1005", "1005-00é", "i-1"), (3, "1005", "1005-002", "i-2")]


@pytest.mark.parametrize(("encoding", "said"), [("utf-8", 0), ("utf-8-sig", 0), ("utf-16", 1), ("cp1252", 1)])
def test_encoding_that_is_not_utf8_is_said(encoding, said):
    with open_table(csv_file("1005,1005-00é,i-1", encoding=encoding)) as table:
        assert len(table.notes) == said


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_separator_is_found(mark):
    file = csv_file(f"1005{mark}p-1{mark}i-1", heading=mark.join(("site", "participantId", "internalId")))

    assert rows(file) == [(2, "1005", "p-1", "i-1")]


@pytest.mark.parametrize(
    "heading",
    [
        "internalId,site,participantId",
        "Internal ID,SITE,Participant ID",
        "internal_id,Site Number,participant_id",
        "internal-id,siteNum,Subject ID",
        "externalId,externalStudySiteId,participant",
    ],
)
def test_columns_are_found_in_any_order_and_spelling(heading):
    assert rows(csv_file("i-1,1005,p-1", heading=heading)) == [(2, "1005", "p-1", "i-1")]


def test_other_columns_are_ignored():
    file = csv_file("x,1005,y,p-1,i-1,z", heading="a,site,b,participantId,internalId,c")

    assert rows(file) == [(2, "1005", "p-1", "i-1")]


def test_quoted_values_keep_separators_and_lines_are_counted_as_in_the_file():
    file = csv_file('1005,"p\r\n,1",i-1', "", "1005,p-2,i-2")

    assert rows(file) == [(2, "1005", "p\r\n,1", "i-1"), (5, "1005", "p-2", "i-2")]


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("site,participantId", "missing: internalId"),
        ("a,b,c", "missing: site, participantId, internalId"),
        ("site,site,participantId,internalId", "twice"),
    ],
)
def test_wrong_columns_are_refused_by_name(heading, words):
    with pytest.raises(FileRefused, match=words):
        rows(csv_file("1,2,3", heading=heading))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"\n\n\n", "no rows"),
        (b"\xff\xfe\x00\x00s\x00\x00\x00", "UTF-32"),
        (bytes(range(256)) * 20, "not known|neither"),
        (b"\x00" * 5000, "neither"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 100, "old or password"),
        (b"PK\x03\x04garbage", "broken"),
        (b"site,participantId,internalId\n\x81\x8d,1,2\n", "not known"),
        (b"site,participantId,internalId" + b"x" * 70_000, "too long"),
    ],
)
def test_what_is_no_participant_file_is_refused_with_a_sentence(raw, words):
    with pytest.raises(FileRefused, match=words):
        rows(io.BytesIO(raw))


def test_quote_that_never_ends_is_refused_without_reading_it_all_into_one_cell():
    file = csv_file('1005,"p-1,i-1', *(["1005,p,i"] * 30_000))

    with pytest.raises(FileRefused, match="broken near line 2"):
        rows(file)


@pytest.mark.parametrize("write_only", [True, False])
def test_xlsx_gives_texts_and_numbers_as_people_see_them(write_only):
    file = xlsx_file((1005, "1005-001", "i-1"), (1005.0, 7, "a & <b>"), write_only=write_only)

    assert rows(file) == [(2, "1005", "1005-001", "i-1"), (3, "1005", "7", "a & <b>")]


@pytest.mark.parametrize("shown", ["yyyy-mm-dd", "dd.mm.yyyy hh:mm", "mm-dd-yy", '"Day "d'])
def test_xlsx_date_does_not_pass_for_an_id(shown):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(("site", "participantId", "internalId"))
    sheet.append(("1005", date(2026, 1, 2), "a"))
    sheet["B2"].number_format = shown
    out = io.BytesIO()
    book.save(out)

    values = [row for _number, row in xlsx.rows(out)][1]

    assert values == ["1005", "=46024", "a"]


@pytest.mark.parametrize("shown", ["General", "0000", '0 "days"', "[Red]0", "#,##0.00"])
def test_xlsx_number_in_any_other_format_is_an_id(shown):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append((1005,))
    sheet["A1"].number_format = shown
    out = io.BytesIO()
    book.save(out)

    assert [row for _number, row in xlsx.rows(out)] == [["1005"]]


def test_xlsx_formula_stays_a_formula():
    assert rows(xlsx_file(("1005", "=1+1", "i-1"), write_only=False))[0][2].startswith("=")


def test_xlsx_shared_strings_join_runs_and_leave_out_phonetic_guides():
    strings = "<sst><si><r><t>10</t></r><r><t>05</t></r><rPh><t>no</t></rPh></si></sst>"
    file = raw_xlsx(SHEET.format(HEADING_ROW + f'<row><c t="s"><v>0</v></c>{inline("p", "i")}</row>'), strings=strings)

    assert rows(file) == [(2, "1005", "p", "i")]


def test_xlsx_escaped_control_characters_come_out():
    file = raw_xlsx(SHEET.format(HEADING_ROW + f"<row>{inline('1005', 'p_x0000_', 'i')}</row>"))

    assert rows(file)[0][2] == "p\x00"


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (raw_xlsx(LAUGHS + SHEET.format("")), "document type"),
        (raw_xlsx(SHEET.format(HEADING_ROW), strings=LAUGHS + "<sst/>"), "document type"),
        (raw_xlsx(SHEET.format(HEADING_ROW + '<row><c t="s"><v>5</v></c></row>'), strings="<sst/>"), "broken"),
        (raw_xlsx(SHEET.format(HEADING_ROW)[:-20]), "broken"),
        (raw_xlsx("not xml"), "broken"),
        (raw_xlsx(SHEET.format("<row>" + "<c/>" * 300 + "</row>")), "columns"),
        (raw_xlsx(SHEET.format('<row><c r="ZZZZ1"><v>1</v></c></row>')), "columns"),
        (raw_xlsx(SHEET.format(f"<row>{inline('x' * 40_000)}</row>")), "longer"),
        (raw_xlsx(SHEET.format("<row/>" + " " * 30_000_000)), "unpacks"),
        (raw_xlsx("x", extra=[(f"junk/{i}", "") for i in range(20_000)]), "parts"),
    ],
    ids=["dtd", "dtd-strings", "bad-index", "cut", "no-xml", "columns", "far", "long-cell", "bomb", "many-parts"],
)
def test_hostile_workbook_is_refused_with_a_sentence(file, words):
    with pytest.raises(FileRefused, match=words):
        rows(file)


def test_workbook_missing_its_sheet_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "x")

    with pytest.raises(FileRefused, match="broken"):
        rows(out)


def test_row_of_a_million_cells_costs_no_memory():
    file = raw_xlsx(SHEET.format("<row>" + "<c><v>1</v></c>" * 1_000_000 + "</row>"))
    tracemalloc.start()

    with pytest.raises(FileRefused):
        rows(file)

    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
