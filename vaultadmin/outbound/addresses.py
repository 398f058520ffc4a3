"""Which addresses are public unicast.

The standard library's `is_private` and `is_global` let a quarter of the known bad addresses pass and change between
releases, so the lists stand here: IPv4 by exclusion, IPv6 by admitting only 2000::/3 and excluding from that. Forms
that carry an IPv4 address inside are judged by that address.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_BAD_V4: Final = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT, also a cloud's metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's host agent behind a public-looking address
        "169.254.0.0/16",  # link-local, metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments, also a cloud's metadata service
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_V6: Final = IPv6Network("2000::/3")
_BAD_V6: Final = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: leads to whatever IPv4 address is inside
        "3ffe::/16",  # returned 6bone space
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
# A listed host name may lead to private addresses, but never to these: nobody's service lives there, metadata does.
_NEVER_BY_NAME: Final[tuple[Network, ...]] = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("168.63.129.16/32"),
    IPv4Network("169.254.0.0/16"),
    IPv4Network("224.0.0.0/3"),
    IPv6Network("::/128"),
    IPv6Network("fe80::/10"),
    IPv6Network("ff00::/8"),
    IPv6Network("fd00:ec2::/32"),
)


def parse_address(text: str) -> Address | None:
    """An address as a resolver gives it, IPv4-mapped ones as the IPv4 address they really dial. None if unusable."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address


def is_public(address: Address) -> bool:
    """Whether the address is public unicast, looking through every embedding of IPv4 in IPv6."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _BAD_V4)
    embedded = _embedded(address)
    if embedded is not None and not is_public(embedded):
        return False
    if address.ipv4_mapped is not None or address in _NAT64:
        return True
    return address in _GLOBAL_V6 and not any(address in block for block in _BAD_V6)


def allowed_by_name(address: Address) -> bool:
    """Whether a host the operator listed by name may lead here."""
    return not any(address in block for block in _NEVER_BY_NAME)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    number = int(address)
    isatap = (number >> 32) & 0xFDFFFFFF == 0x00005EFE
    if address in _NAT64 or isatap:
        return IPv4Address(number & 0xFFFFFFFF)
    return None
