import pytest

from connections import token_types
from connections.constants import TokenType
from connections.rules import RuleBroken

GOOD = [
    (TokenType.STRING, " a b/ü ", "a b/ü"),
    (TokenType.STRING, "", ""),
    (TokenType.BOOLEAN, "TRUE", "true"),
    (TokenType.NUMBER, "-12.50", "-12.50"),
    (TokenType.DATE, "2026-02-28", "2026-02-28"),
    (TokenType.DATETIME, "2026-05-14T10:30:00+02:00", "2026-05-14T08:30:00.000Z"),
    (TokenType.DATETIME, "2026-05-14T08:30:00Z", "2026-05-14T08:30:00.000Z"),
    (TokenType.LIST, "a, b ,c", "a,b,c"),
    (TokenType.BOOLEAN, "", ""),
]
BAD = [
    (TokenType.STRING, "a\nb"),
    (TokenType.STRING, "a\x00"),
    (TokenType.STRING, "x" * 256),
    (TokenType.BOOLEAN, "yes"),
    (TokenType.NUMBER, "1e3"),
    (TokenType.NUMBER, "٣"),
    (TokenType.NUMBER, "NaN"),
    (TokenType.NUMBER, "1."),
    (TokenType.DATE, "2026-02-30"),
    (TokenType.DATE, "20260214"),
    (TokenType.DATETIME, "2026-05-14T08:30:00"),
    (TokenType.DATETIME, "2026-05-14"),
    (TokenType.DATETIME, "9999-12-31T23:59:59-14:00"),
    (TokenType.LIST, "a,,b"),
    (TokenType.LIST, ","),
]


@pytest.mark.parametrize(("type_", "typed", "kept"), GOOD)
def test_value_of_its_type_is_kept_in_one_form(type_, typed, kept):
    assert token_types.canonical(type_, typed) == kept


@pytest.mark.parametrize(("type_", "typed"), BAD)
def test_value_of_another_type_is_refused_in_one_sentence(type_, typed):
    with pytest.raises(RuleBroken, match=r"^[^\n]+\.$"):
        token_types.canonical(type_, typed)


@pytest.mark.parametrize("name", ["a", "Region_1", "region__c", "x" * 40])
def test_name_in_the_documented_form_passes(name):
    token_types.check_name(name)


@pytest.mark.parametrize("name", ["", "1a", "_a", "a-b", "a b", "é", "x" * 41, "id", "Name", "DNS", "vaultId", "a\n"])
def test_name_in_another_form_or_of_a_system_token_is_refused(name):
    with pytest.raises(RuleBroken):
        token_types.check_name(name)
