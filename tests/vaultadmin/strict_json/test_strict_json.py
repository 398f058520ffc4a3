import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultadmin import strict_json
from vaultadmin.strict_json import StrictJsonError

BOMBS = {
    "empty": b"",
    "only space": b" \n",
    "not JSON": b"<html></html>",
    "half an object": b'{"a": 1',
    "two values": b"{} {}",
    "trailing comma": b"[1,]",
    "comment": b"[1] // one",
    "single quotes": b"{'a': 1}",
    "bare key": b"{a: 1}",
    "leading zero": b"[01]",
    "hexadecimal": b"[0x10]",
    "NaN": b"[NaN]",
    "Infinity": b"[Infinity]",
    "minus Infinity": b"[-Infinity]",
    "float overflow": b"[1e400]",
    "long integer": b"[" + b"9" * 5_000 + b"]",
    "long fraction": b"[0." + b"1" * 5_000 + b"]",
    "duplicate key": b'{"a": 1, "a": 2}',
    "duplicate key by escape": b'{"a": 1, "\\u0061": 2}',
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "unclosed lists": b"[" * 262_144,
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "Latin-1": '{"a": "é"}'.encode("latin-1"),
    "overlong UTF-8": b'["\xc0\xaf"]',
    "surrogate in UTF-8": b'["\xed\xa0\x80"]',
    "lone surrogate by escape": b'["\\ud800"]',
    "lone surrogate in key": b'{"\\udfff": 1}',
    "NUL by escape": b'["a\\u0000b"]',
    "raw NUL": b'["a\x00b"]',
    "raw line break": b'["a\nb"]',
    "long string": b'["' + b"a" * 70_000 + b'"]',
    "unterminated escapes": b'"' + b'\\"' * 131_000,
    "backslash at the end": b'["abc\\',
    "too large": b"[" + b"1," * 200_000 + b"1]",
}

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner, max_size=5)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("raw", BOMBS.values(), ids=BOMBS.keys())
def test_bomb_is_refused_quickly_with_one_sentence(raw):
    started = time.perf_counter()

    with pytest.raises(StrictJsonError) as refusal:
        strict_json.loads(raw)

    assert time.perf_counter() - started < 10
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b" [1, -2.5, 1e3] ", [1, -2.5, 1000.0]),
        (b'{"a": {"a": null}}', {"a": {"a": None}}),
        (b'"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        ('["é"]'.encode(), ["é"]),
        (b'["[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "99999999999999999999999999999999999999999999"]', ["[" * 29, "9" * 44]),
        (b"[" * 20 + b"]" * 20, json.loads("[" * 20 + "]" * 20)),
    ],
)
def test_plain_json_is_read(raw, value):
    assert strict_json.loads(raw) == value


def test_limits_given_by_the_caller_apply():
    assert strict_json.loads(b"[[1]]", max_depth=2) == [[1]]
    with pytest.raises(StrictJsonError, match="deeper than 1"):
        strict_json.loads(b"[[1]]", max_depth=1)
    with pytest.raises(StrictJsonError, match="larger than 4 bytes"):
        strict_json.loads(b"[[1]]", max_bytes=4)
    with pytest.raises(StrictJsonError, match="more than 2 characters"):
        strict_json.loads(b"[123]", max_digits=2)
    with pytest.raises(StrictJsonError, match="longer than 2 characters"):
        strict_json.loads(b'["abc"]', max_string=2)


@given(st.binary(max_size=200) | st.text('[]{}",:\\u0d8e1.-ntf ', max_size=200).map(str.encode))
def test_any_bytes_give_a_value_or_the_one_error(raw):
    try:
        value = strict_json.loads(raw)
    except StrictJsonError:
        return
    assert strict_json.loads(strict_json.canonical(value)) == value


@given(values)
def test_canonical_text_reads_back_as_the_same_value(value):
    assert strict_json.loads(strict_json.canonical(value), max_depth=100) == value


def test_canonical_ignores_the_order_of_keys():
    assert strict_json.canonical({"b": 1, "a": ["é", 2]}) == '{"a":["é",2],"b":1}'.encode()
    assert strict_json.canonical({"a": ["é", 2], "b": 1}) == strict_json.canonical({"b": 1, "a": ["é", 2]})


def nested(levels):
    value: list[object] = []
    for _ in range(levels):
        value = [value]
    return value


def circular():
    value: list[object] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        "\ud800",
        {"\udfff": 1},
        "a\0b",
        {1: "one"},
        {"a": {None: 1}},
        object(),
        nested(100_000),
        circular(),
    ],
    ids=["nan", "inf", "surrogate", "surrogate key", "nul", "number key", "inner key", "object", "deep", "circular"],
)
def test_value_without_a_strict_spelling_is_refused(value):
    with pytest.raises(StrictJsonError):
        strict_json.canonical(value)
