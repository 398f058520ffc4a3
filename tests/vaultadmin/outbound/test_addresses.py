from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.vaultadmin.outbound.corpus import BAD_ADDRESSES, GOOD_ADDRESSES
from vaultadmin.outbound.addresses import is_public, parse_address


@pytest.mark.parametrize("text", BAD_ADDRESSES)
def test_address_that_is_not_public_unicast_is_recognised(text):
    address = parse_address(text)

    assert address is None or not is_public(address)


@pytest.mark.parametrize("text", GOOD_ADDRESSES)
def test_public_unicast_address_is_recognised(text):
    address = parse_address(text)

    assert address is not None
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_becomes_public_by_being_wrapped(inner):
    number = int(inner)
    wrapped = {
        "mapped": IPv6Address((0xFFFF << 32) | number),
        "nat64": IPv6Address((0x64FF9B << 96) | number),
        "compatible": IPv6Address(number),
        "translated": IPv6Address((0xFFFF << 48) | number),
        "local nat64": IPv6Address((0x64FF9B0001 << 80) | number),
        "6to4": IPv6Address((0x2002 << 112) | (number << 80)),
        "teredo": IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF)),
        "isatap": IPv6Address((0x2607F8B0 << 96) | (0x5EFE << 32) | number),
        "isatap universal": IPv6Address((0x2607F8B0 << 96) | (0x02005EFE << 32) | number),
    }

    assert not any(is_public(address) for address in wrapped.values()) or is_public(inner)
    for never in ("compatible", "translated", "local nat64", "6to4", "teredo"):
        assert not is_public(wrapped[never])


@given(st.ip_addresses(v=6))
def test_ipv6_outside_global_unicast_is_public_only_through_its_ipv4_address(address):
    assume(int(address) >> 125 != 1)
    inner = address.ipv4_mapped or IPv4Address(int(address) & 0xFFFFFFFF)

    assert not is_public(address) or is_public(inner)


def test_mapped_address_is_judged_and_dialled_as_ipv4():
    assert parse_address("::ffff:8.8.8.8") == IPv4Address("8.8.8.8")


@pytest.mark.parametrize("text", ["", "localhost", "fe80::1%eth0", "2606:4700::1111%1", "8.8.8", "8.8.8.8/32"])
def test_text_that_is_no_plain_address_is_not_used(text):
    assert parse_address(text) is None
