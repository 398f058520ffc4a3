"""A request made ready: judged target, checked headers. Both doors send exactly this."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from .policy import Policy
from .urls import Target

METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
REPEATABLE: Final = frozenset(("GET", "HEAD", "OPTIONS"))

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")
# The doors write these themselves; a caller's own would let one request be read as two.
_OURS: Final = frozenset(
    [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "accept-encoding",
        "proxy-authorization",
        "proxy-connection",
    ]
)


class RequestRefused(ValueError):
    """The request cannot be written as HTTP; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: Target
    body: bytes
    headers: dict[str, str]


def prepare(
    policy: Policy,
    method: str,
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str] | None,
    allow_hosts: Collection[str] | None,
) -> Request:
    """Judge everything that can be judged before the network: UrlRefused or RequestRefused."""
    target = policy.target(url, allow_hosts=allow_hosts)
    if method not in METHODS:
        raise RequestRefused(f"The method {method!r} is not one we send.")
    ready = {"Host": target.authority, "Accept-Encoding": "identity", "User-Agent": "vaultadmin"}
    for name, value in (headers or {}).items():
        _check_header(name, value)
        if name.lower() == "user-agent":
            del ready["User-Agent"]
        ready[name] = value
    if len({name.lower() for name in ready}) != len(ready):
        raise RequestRefused("The request holds the same header twice.")
    return Request(method, target, body, ready)


def _check_header(name: str, value: str) -> None:
    if not _NAME.fullmatch(name):
        raise RequestRefused(f"{name!r} is not a header name.")
    if name.lower() in _OURS:
        raise RequestRefused(f"The header {name} cannot be set by the caller.")
    if not _VALUE.fullmatch(value) or value != value.strip():
        raise RequestRefused(f"The value of the header {name} holds characters a header must not contain.")
