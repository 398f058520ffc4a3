"""The form a URL must have before anything is resolved or dialled.

Parsers disagree about odd URLs, and each disagreement is a way in. So nothing is repaired here: what does not have the
one plain form is refused with a sentence, and the doors build their requests from the parts found here.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import idna

from .addresses import Address

MAX_LENGTH: Final = 2_000
STANDARD_PORT: Final = 443

_FORM: Final = re.compile(r"https://(?P<authority>[^/?]*)(?P<path>[^?]*)(?P<query>\?.*)?", re.IGNORECASE | re.DOTALL)
_NOT_PRINTABLE: Final = re.compile(r"[\x00-\x20\x7f]")
_NOT_URL: Final = re.compile(r"[\"<>\\^`{|}]")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL_IN_PATH: Final = re.compile(r"%([01][0-9a-f]|7f)", re.IGNORECASE)
_AUTHORITY: Final = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?P<port>:.*)?")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMERIC_LABEL: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


class UrlRefused(ValueError):
    """The URL does not have the form we call; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart: lower-case ASCII host, port, and path with query exactly as written."""

    host: str
    port: int
    path: str
    query: str
    literal: Address | None
    """The address itself, when the host is not a name."""

    @property
    def authority(self) -> str:
        """The Host header: no port when it is the standard one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == STANDARD_PORT else f"{host}:{self.port}"

    @property
    def resource(self) -> str:
        """The request line's target."""
        return f"{self.path}?{self.query}" if self.query else self.path


# The same few addresses are called over and over.
@lru_cache(maxsize=256)
def parse_url(url: str) -> Target:
    """Take a URL apart or raise UrlRefused. Any port is let through here: the policy judges it."""
    _check_characters(url)
    form = _FORM.fullmatch(url)
    if form is None:
        raise UrlRefused("The URL must start with https://.")
    host, port = _split_authority(form["authority"])
    path, query = form["path"] or "/", (form["query"] or "")[1:]
    if re.search(r"[\[\]]", path + query):
        raise UrlRefused("The URL holds a square bracket, which must be percent-encoded.")
    if _CONTROL_IN_PATH.search(path) or "%00" in query:
        raise UrlRefused("The URL holds an encoded control character.")
    if host.startswith("["):
        address = _parse_ipv6(host[1:-1])
        return Target(address.compressed, port, path, query, address)
    return Target(host, port, path, query, _parse_host(host))


def _check_characters(url: str) -> None:
    if len(url) > MAX_LENGTH:
        raise UrlRefused(f"The URL is longer than {MAX_LENGTH} characters.")
    if _NOT_PRINTABLE.search(url):
        raise UrlRefused("The URL holds a space or a control character.")
    if not url.isascii():
        raise UrlRefused(
            "The URL holds a character outside ASCII: write a host in its xn-- form, anything else percent-encoded."
        )
    if odd := _NOT_URL.search(url):
        raise UrlRefused(f"The URL holds the character {odd[0]}, which a URL must not contain.")
    if _BROKEN_ESCAPE.search(url):
        raise UrlRefused("The URL holds a percent sign without two hexadecimal digits.")
    if "#" in url:
        raise UrlRefused("The URL must not have a fragment.")


def _split_authority(authority: str) -> tuple[str, int]:
    if "@" in authority:
        raise UrlRefused("The URL must not hold a user name or password.")
    parts = _AUTHORITY.fullmatch(authority.lower())
    if parts is None or not parts["host"]:
        raise UrlRefused("The URL has no valid host name.")
    port = parts["port"]
    if port is None:
        return parts["host"], STANDARD_PORT
    # ASCII was checked before: these are the ten plain digits.
    if not re.fullmatch(r":[1-9][0-9]{0,4}", port) or int(port[1:]) > 65_535:
        raise UrlRefused("The URL has no valid port.")
    return parts["host"], int(port[1:])


def _parse_ipv6(text: str) -> IPv6Address:
    # The library accepts zone ids, which choose a network card of ours.
    if "%" not in text:
        try:
            return IPv6Address(text)
        except ValueError:
            pass
    raise UrlRefused("The IPv6 address in the URL is not valid.")


def _parse_host(host: str) -> IPv4Address | None:
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise UrlRefused("The URL has no valid host name.")
    # Every host that ends in a number is an IPv4 address to some parser, in octal, hexadecimal or short form.
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        try:
            return IPv4Address(host)
        except ValueError as error:
            raise UrlRefused("An IPv4 address must be written as four plain decimal numbers.") from error
    for label in labels:
        _check_encoded_label(label)
    return None


def _check_encoded_label(label: str) -> None:
    if label[2:4] != "--":
        return
    try:
        idna.ulabel(label)
    except idna.IDNAError as error:
        raise UrlRefused("The URL holds an international host name that is not valid.") from error
