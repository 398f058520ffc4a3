from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.security.deed import Ready
from tests.security.deeds import DEEDS

NASTY = st.sampled_from(
    [
        "",
        "\x00",
        "a\x00b",
        "\ud800",
        "‮ right to left",
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        "{{ 7*7 }}{% debug %}",
        "../../etc/passwd",
        "%00%ff",
        "9" * 400,
        "-1",
        "1e309",
        "NaN",
        "0x10",
        "٣",
        "2026-02-30T25:61:00Z",
        "9999-12-31T23:59:59+00:00",
        "0001-01-01T00:00:00+23:59",
        "on",
        "x" * 70_000,
        "\r\nSet-Cookie: a=b",
        "https://[::1",
        "https://xn--a.example/",
        "00000000-0000-0000-0000-000000000000",
        str(2**63),
        str(-(2**63) - 1),
    ]
)
VALUE = (
    NASTY
    | st.text(max_size=60)
    | st.integers().map(str)
    | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1"))
)


def spoiled(data: Any, form: dict[str, Any]) -> dict[str, Any]:
    """The form with some of its values replaced, some left out and some said twice."""
    result: dict[str, Any] = {}
    for name, good in form.items():
        what = data.draw(st.sampled_from(["keep", "replace", "replace", "drop", "twice"]), label=f"do {name}")
        if what == "keep":
            result[name] = good
        elif what == "replace":
            result[name] = wrong(data, name, good)
        elif what == "twice":
            result[name] = [str(good), typed(data, name)]
    return result


def wrong(data: Any, name: str, good: Any) -> Any:
    if isinstance(good, SimpleUploadedFile) and data.draw(st.booleans(), label=f"{name} as a file"):
        return SimpleUploadedFile(
            data.draw(st.sampled_from(["a.csv", "b.xlsx", "..csv", "c\x00.json"])), bytes_of(data)
        )
    return typed(data, name)


def typed(data: Any, name: str) -> bytes:
    """What a careless or hostile client sends: not even UTF-8, at times."""
    drawn: str = data.draw(VALUE, label=name)
    return drawn.encode("utf-8", "surrogatepass")


def bytes_of(data: Any) -> bytes:
    return data.draw(
        st.binary(max_size=300) | st.sampled_from([b"PK\x03\x04", b"\xff\xfe", b"[" * 5000, b"a,b\n" * 50])
    )


def fault_of(form: Ready, examples: int) -> str:
    """What breaks a form, the first of it; empty when nothing does."""

    # Not shrunk: each example is a whole request.
    @settings(max_examples=examples, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
    @given(data=st.data())
    def judge(data: Any) -> None:
        with form.undone() as browser:
            status = browser.post(form.path, spoiled(data, form.data)).status_code
        assert status < 500, status

    try:
        judge()
    except Exception as error:
        return "\n".join([repr(error), *getattr(error, "__notes__", [])])[:2000]
    return ""


@pytest.mark.django_db
def test_no_form_breaks_on_what_is_typed(world, goal):
    j3 = goal("J3")
    examples = j3.count(small=5, full=500)

    broken = {}
    for deed in DEEDS:
        with deed.ready(world) as form:
            if fault := fault_of(form, examples):
                broken[deed.id] = fault

    j3.reached(
        figure={"forms": len(DEEDS), "examples a form": examples, "broken": broken},
        target={"broken": {}},
        ok=not broken,
    )
