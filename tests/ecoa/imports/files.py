import io
import zipfile

import openpyxl

HEADING = "site,participantId,internalId"


def csv_file(*rows, heading=HEADING, encoding="utf-8"):
    return io.BytesIO("".join(f"{row}\r\n" for row in (heading, *rows)).encode(encoding))


def xlsx_file(*rows, heading=("site", "participantId", "internalId"), write_only=True):
    book = openpyxl.Workbook(write_only=write_only)
    sheet = book.create_sheet("Participants", 0)
    for row in (heading, *rows):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)
WORKBOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Target="worksheets/sheet1.xml" Type="x"/>'
    '<Relationship Id="r2" Target="sharedStrings.xml" Type="y"/></Relationships>'
)


def raw_xlsx(sheet, *, strings=None, extra=()):
    """An archive with these parts exactly as given."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", WORKBOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", RELATIONS)
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        if strings is not None:
            archive.writestr("xl/sharedStrings.xml", strings)
        for name, content in extra:
            archive.writestr(name, content)
    return out


def inline(*values):
    return "".join(f'<c t="inlineStr"><is><t>{value}</t></is></c>' for value in values)


HEADING_ROW = f"<row>{inline('site', 'participantId', 'internalId')}</row>"
