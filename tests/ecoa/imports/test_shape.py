import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecoa.imports import problems
from ecoa.imports.shape import inspect


@pytest.mark.parametrize("value", ["1005-003", "a", "925c6db2-b07b-49fe", "Ünï-1", "a b", "x" * 255, "1=1", "7+"])
def test_ordinary_value_has_no_problem(value):
    assert inspect("1005", value, "i") == (("1005", value, "i"), None)


def test_blanks_around_a_value_are_left_out():
    assert inspect(" 1005\t", "\u00a0p ", " i ") == (("1005", "p", "i"), None)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", problems.MISSING_PARTICIPANT_ID),
        ("   ", problems.MISSING_PARTICIPANT_ID),
        ("=1+1", problems.FORMULA),
        ("+1", problems.FORMULA),
        ("-1", problems.FORMULA),
        ("@x", problems.FORMULA),
        (" =cmd", problems.FORMULA),
        ("#REF!", problems.CELL_ERROR),
        ("x" * 256, problems.TOO_LONG),
        ("a\x00b", problems.CONTROL),
        ("a\nb", problems.CONTROL),
        ("a\x1b[31m", problems.CONTROL),
        ("a\u202eb", problems.CONTROL),
        ("a\u200bb", problems.CONTROL),
        ("a\ue000", problems.CONTROL),
    ],
)
def test_odd_value_is_named(value, code):
    _values, found = inspect("1005", value, "i")

    assert [problem.partition(":")[0] for problem in found] == [code]


@given(st.text(), st.text(), st.text())
def test_any_text_is_judged_and_can_be_stored(site, participant_id, internal_id):
    values, found = inspect(site, participant_id, internal_id)

    for value in values:
        assert "\x00" not in value
        assert len(value) <= 300
    for problem in found or []:
        assert problems.sentence(problem).endswith(".")


@pytest.mark.parametrize("code", problems.WORDS)
def test_every_problem_has_a_sentence(code):
    assert problems.sentence(f"{code}:17").endswith(".")
