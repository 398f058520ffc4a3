import json

import pytest

from bench import report
from bench.report import Goal, Result, Row


def make_result(foreign=0.0, **fields):
    values = {
        "name": "example",
        "value": 120.0,
        "unit": "rows/s",
        "limit": 200.0,
        "ratio": 0.6,
        "ratios": {"naive": 12.0},
        "n": 10,
        "seconds": 1.0,
        "machine": {"foreign_cpu": foreign},
        "rows": [Row("ours", [110.0, 120.0, 130.0], "rows/s")],
        "goals": [Goal("ours ÷ naive", 12.0, 12)],
    }
    return Result(**(values | fields))


@pytest.mark.parametrize(
    ("goal", "valid", "verdict"),
    [
        (Goal("rate", 12.0, 12), True, report.PASS),
        (Goal("rate", 11.9, 12), True, report.FAIL),
        (Goal("rate", 11.9, 12, later=True), True, report.LATER),
        (Goal("rate", 40.0, 12), False, report.INVALID),
        (Goal("memory", 300, 300, at_most=True), True, report.PASS),
        (Goal("memory", 301, 300, at_most=True), True, report.FAIL),
        (Goal("memory", 301, 300, at_most=True, counted=True), False, report.FAIL),
        (Goal("queries", 5, 8, at_most=True, counted=True), False, report.PASS),
    ],
)
def test_verdict_follows_figure_and_validity(goal, valid, verdict):
    assert goal.verdict(valid=valid) == verdict


@pytest.mark.parametrize(
    ("before", "after", "drifts"), [([100], [91], False), ([100], [89], True), ([80], [100], True)]
)
def test_limits_more_than_a_tenth_apart_are_said(before, after, drifts):
    assert bool(report.drifted(before, after)) is drifts


def test_foreign_load_makes_a_result_invalid():
    assert make_result(foreign=0.05).valid
    assert not make_result(foreign=0.25).valid


def test_saved_result_has_the_promised_keys(tmp_path):
    make_result(foreign=0.25).save(tmp_path)

    saved = json.loads((tmp_path / "example.json").read_text())

    assert {"name", "value", "unit", "limit", "ratio", "ratios", "n", "seconds", "valid", "machine"} <= saved.keys()
    assert saved["valid"] is False
    assert saved["goals"][0]["verdict"] == report.INVALID


def test_tables_show_every_row_and_goal():
    result = make_result()

    assert "ours" in result.text()
    assert report.PASS in report.goals_text([result.as_dict()])
