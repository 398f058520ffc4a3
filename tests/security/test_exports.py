from __future__ import annotations

import csv
import io

import pytest
from django.db import transaction

from tests.security.deed import World
from vaultadmin import audit, exports

FORMULAS = [
    "=1+1",
    "+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    '=HYPERLINK("https://evil.test","x")',
    "=cmd|'/C calc'!A1",
    '"=1+1',
    ";=1+1",
    ",=1+1",
    "＝1+1",
    "  =1+1",
]
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NAMES = ["a\r\nX: y", '"; x="', "../../etc/passwd", "ü.csv", "", "a" * 500, "con\x00.csv", "a;b"]


@pytest.mark.django_db
def test_cells_of_the_trail_open_as_text(world: World, goal):
    with transaction.atomic():
        for formula in FORMULAS:
            audit.record(vault=world.place.vault, by=world.owner, event="test.written", reason=formula)

    answer = world.client().get("/v/7001/admin/audit/download/")
    text = answer.getvalue().decode("utf-8-sig")

    cells = [cell for line in csv.reader(io.StringIO(text)) for cell in line]
    live = [cell for cell in cells if cell.lstrip(" ").startswith(DANGEROUS)]
    kept = all(any(formula.strip() in cell for cell in cells) for formula in FORMULAS)
    goal("I5").reached(figure={"cells": len(cells), "live": live}, target={"live": []}, ok=not live and kept)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_stays_a_file_name(name):
    header = exports.csv_response(name, ["a"], [])["Content-Disposition"]

    assert not set("\r\n\x00/\\") & set(header)
    assert header.startswith("attachment")
