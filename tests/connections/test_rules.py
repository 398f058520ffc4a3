import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections import rules
from connections.rules import RuleBroken


@pytest.mark.parametrize("name", ["a", "1", "safety_link", "a__b", "x" * 40, "create2"])
def test_api_name_in_the_documented_form_passes(name):
    rules.check_api_name(name)


@pytest.mark.parametrize(
    "name", ["", "_a", "a_", "A", "a b", "a-b", "é", "x" * 41, "create", "a\n", "a.b", "ａ", "_", "a\x00"]
)
def test_api_name_in_another_form_is_refused(name):
    with pytest.raises(RuleBroken):
        rules.check_api_name(name)


def test_standard_api_name_may_hold_a_hyphen():
    rules.check_api_name("cdms_clin-ops_connection__v", standard=True)


@pytest.mark.parametrize("name", ["-a", "a-", "create"])
def test_standard_api_name_keeps_the_other_rules(name):
    with pytest.raises(RuleBroken):
        rules.check_api_name(name, standard=True)


def test_free_api_name_takes_the_next_suffix():
    taken = {"link", "link_2"}

    assert rules.free_api_name("link", taken=taken.__contains__) == "link_3"


@given(st.from_regex(r"\A[a-z0-9]+(_+[a-z0-9]+)*\Z").filter(lambda name: len(name) <= 40 and name != "create"))
def test_free_api_name_is_always_valid(wanted):
    found = rules.free_api_name(wanted, taken={wanted}.__contains__)

    rules.check_api_name(found)
    assert found != wanted


def test_record_id_has_fifteen_characters_and_the_prefix():
    assert rules.record_id(101) == "V17000000000101"


GOOD_URLS = [
    "https://example.com",
    "https://example.com/",
    "https://example.com:443/a?b=c",
    "https://x.example.com/${Vault.id}",
    "https://${Vault.dns}/path",
    "https://${Custom.host}.example.com/a?b=${Custom.b}",
    "https://api-${Vault.name}.example.com/",
]
BAD_URLS = [
    "http://example.com",
    "https://veeva.com:8443",
    "ftp://example.com",
    "example.com",
    "https://",
    "https://user:pass@example.com/",
    "https://exa mple.com/",
    "https://example.com/${Vault}",
    "https://example.com/${}",
    "https://example.com/${Vault.}",
    "https://example.com:${Custom.port}/",
    "https://10.0.0.1/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://example.com/#part",
    "${Custom.scheme}://example.com/",
    "https://example.com/" + "a" * 2000,
]


@pytest.mark.parametrize("url", GOOD_URLS)
def test_url_of_the_documented_form_passes(url):
    rules.check_connection_url(url)


@pytest.mark.parametrize("url", BAD_URLS)
def test_url_of_another_form_is_refused(url):
    with pytest.raises(RuleBroken):
        rules.check_connection_url(url)
