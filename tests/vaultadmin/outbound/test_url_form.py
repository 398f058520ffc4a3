from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from tests.vaultadmin.outbound.corpus import (
    BAD_REGIONS,
    GOOD_REGIONS,
    GOOD_URLS,
    REFUSED_URLS,
    REGION_SUFFIXES,
)
from vaultadmin.outbound import Policy, UrlRefused, check_url, region_allowed
from vaultadmin.outbound.addresses import is_public, parse_address

POLICY = Policy()
hostile = st.sampled_from(
    [*"/@:#?[]\\.%", "%0d", "%2e", "%2f", "%00", "..", "\r\n", "\t", "\u3002", "\uff20", "é", "//"]
)
values = st.lists(hostile | st.text(max_size=4), max_size=8).map("".join)


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_odd_url_is_refused_in_one_sentence(url):
    with pytest.raises(UrlRefused, match=r"^[^\r\n]+\.$"):
        check_url(url, policy=POLICY)


@pytest.mark.parametrize(("url", "host", "resource"), GOOD_URLS)
def test_plain_url_is_accepted_and_taken_apart(url, host, resource):
    check_url(url, policy=POLICY)

    target = POLICY.target(url)
    assert (target.host, target.port, target.resource) == (host, 443, resource)


@given(values, values)
def test_encoded_values_in_a_url_cannot_move_it(first, second):
    url = f"https://vault.example.com/api/{quote(first, safe='')}/x?y={quote(second, safe='')}"

    try:
        target = POLICY.target(url)
    except UrlRefused:
        return
    assert (target.host, target.port) == ("vault.example.com", 443)


@given(st.sampled_from([url for url, _, _ in GOOD_URLS]), st.integers(0, 40), values)
def test_url_accepted_after_any_mutation_leads_where_every_parser_sees_it_lead(url, position, inserted):
    mutated = url[:position] + inserted + url[position:]

    try:
        target = POLICY.target(mutated)
    except UrlRefused:
        return
    also = parse_url(mutated)
    for seen in (urlsplit(mutated).hostname, also.host.strip("[]")):
        assert (parse_address(seen) or seen) == (target.literal or target.host)
    assert (also.port or 443) == target.port == 443
    assert target.literal is None or is_public(target.literal)


@pytest.mark.parametrize("url", GOOD_REGIONS)
def test_region_below_a_configured_suffix_is_allowed(url):
    assert region_allowed(url, REGION_SUFFIXES)


@pytest.mark.parametrize("url", BAD_REGIONS)
def test_region_that_only_looks_like_ours_gets_no_secret(url):
    assert not region_allowed(url, REGION_SUFFIXES)


@pytest.mark.parametrize("suffixes", [(), ("",), (".",), (" ",)])
def test_no_region_is_allowed_without_a_suffix(suffixes):
    assert not region_allowed("https://us.myveeva.com/", suffixes)


@given(values, values)
def test_region_host_always_ends_in_the_suffix(before, after):
    url = f"https://{before}myveeva.com{after}"

    if region_allowed(url, REGION_SUFFIXES):
        host = parse_url(url).host
        assert host
        assert host == "myveeva.com" or host.endswith(".myveeva.com")
