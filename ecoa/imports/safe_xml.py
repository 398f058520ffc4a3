"""An expat parser for files from outside: no document type, so no entities of the file's own and no bombs."""

from __future__ import annotations

from xml.parsers import expat

from ecoa.imports.problems import FileRefused


def make_parser() -> expat.XMLParserType:
    """A parser that refuses any document type declaration."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def local_name(name: str) -> str:
    """The element name without its prefix."""
    return name.rpartition(":")[2] if ":" in name else name


def _refuse_doctype(*_declaration: object) -> None:
    raise FileRefused("The XLSX file declares a document type of its own, which a workbook never does.")
