from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "spec-coverage.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
LATER = re.compile(r"later: \w")


def rows() -> list[tuple[str, str]]:
    cells = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| [A-Z]?\d+ \|", line)
    ]
    return [(number, shown) for number, _said, shown in cells]


def defines(path: str, name: str) -> bool:
    file = Path(settings.BASE_DIR) / path
    return file.exists() and re.search(rf"^\s*def {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE) is not None


def test_every_sentence_is_shown_by_tests_that_exist():
    dead = [
        f"{path}::{name}" for _number, shown in rows() for path, name in TEST.findall(shown) if not defines(path, name)
    ]

    assert len(rows()) > 100
    assert dead == []


def test_no_sentence_is_left_without_a_test_or_a_reason():
    assert [number for number, shown in rows() if not TEST.search(shown) and not LATER.search(shown)] == []


@pytest.mark.parametrize("number", sorted({number for number, _shown in rows()}))
def test_sentence_numbers_are_given_once(number):
    assert [other for other, _shown in rows()].count(number) == 1
