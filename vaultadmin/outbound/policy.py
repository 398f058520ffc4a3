"""Who may be called: public addresses over https on the standard port, and what the operator lists besides.

The policy is judged twice: on the URL, and on every address its name resolves to at the moment of dialling.
"""

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_network
from types import MappingProxyType
from typing import Final, NamedTuple, Self

from django.conf import settings

from .addresses import Address, Network, allowed_by_name, is_public, parse_address
from .lookup import Resolver, system_lookup
from .tls import TrustUnavailable, context_for
from .urls import STANDARD_PORT, Target, UrlRefused, parse_url

_ALLOW: Final = "VAULTADMIN_OUTBOUND_ALLOW"
_RESOLVE: Final = "VAULTADMIN_OUTBOUND_RESOLVE"
_INNER_DOMAINS: Final = frozenset(
    ("localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan")
)
_HOST_PORT: Final = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+):(?P<port>[0-9]{1,5})")


class PolicyError(ValueError):
    """A setting of the network door cannot be read; the message is one sentence for the operator."""


class AddressRefused(Exception):
    """A name leads to an address that must not be called; the message is one sentence."""


class Endpoint(NamedTuple):
    """An address that was judged and may be dialled."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, eq=False)
class Policy:
    """Compared by identity: connections opened under one policy are never reused under another."""

    networks: tuple[Network, ...] = ()
    """Addresses allowed besides the public ones."""
    listed: frozenset[tuple[str, int]] = frozenset()
    """Hosts allowed on a port, whatever private address they lead to."""
    routes: Mapping[tuple[str, int], Endpoint] = field(default_factory=lambda: MappingProxyType({}))
    """Hosts that are never resolved, with the one address to dial instead."""
    ca_bundle: str = ""
    """File of certificate authorities trusted besides the public ones."""
    resolver: Resolver = system_lookup
    exceptions: tuple[str, ...] = ()
    """The operator's entries as written, for the status page."""

    @classmethod
    def parse(cls, *, allow: str | None = None, resolve: str | None = None, ca_bundle: str | None = None) -> Self:
        """Read the three settings; PolicyError names the entry that cannot be read."""
        allowed, resolved = _entries(allow), _entries(resolve)
        cidrs = [entry for entry in allowed if not _HOST_PORT.fullmatch(entry)]
        return cls(
            networks=tuple(_parse_network(entry) for entry in cidrs),
            listed=frozenset(_parse_host_port(entry, _ALLOW) for entry in allowed if entry not in cidrs),
            routes=MappingProxyType(dict(_parse_route(entry) for entry in resolved)),
            ca_bundle=ca_bundle or "",
            exceptions=(*allowed, *resolved),
        )

    def target(self, url: str, *, allow_hosts: Collection[str] | None = None) -> Target:
        """The parts of a URL that may be called, or UrlRefused. A port other than 443 only if the
        operator listed it with its host."""
        target = parse_url(url)
        place = (target.host, target.port)
        if target.port != STANDARD_PORT and place not in self.listed and place not in self.routes:
            raise UrlRefused("The URL must use the standard port 443.")
        if allow_hosts is not None and target.host not in allow_hosts:
            raise UrlRefused(f"The host {target.host} is not one this request may go to.")
        if target.literal is not None:
            self._judge(target, (target.host,))
        elif _is_inner_name(target.host) and not self._opens_inner_names(target):
            raise UrlRefused(f"The host {target.host} is not a public host name.")
        return target

    def route(self, target: Target) -> tuple[Endpoint, ...] | None:
        """Endpoints known without asking a resolver; None when the name must be looked up."""
        if pinned := self.routes.get((target.host, target.port)):
            return (pinned,)
        if target.literal is not None:
            return self._judge(target, (target.host,))
        return None

    def judge(self, target: Target, found: Sequence[str]) -> tuple[Endpoint, ...]:
        """All addresses of a name as endpoints. One bad address among good ones refuses them all: a name that mixes
        them is an attack or a mistake, and picking the good one would leave the choice to the next lookup."""
        try:
            return self._judge(target, found)
        except UrlRefused as error:
            raise AddressRefused(str(error)) from error

    def _judge(self, target: Target, found: Sequence[str]) -> tuple[Endpoint, ...]:
        endpoints = []
        for text in found:
            address = parse_address(text)
            if address is None or not self._permits(address, target):
                place = "The URL" if target.literal is not None else f"The host {target.host}"
                raise UrlRefused(f"{place} leads to {text}, which is not a public address.")
            endpoints.append(Endpoint(address.compressed, target.port))
        return tuple(endpoints)

    def _permits(self, address: Address, target: Target) -> bool:
        if is_public(address) or any(address in network for network in self.networks):
            return True
        return (target.host, target.port) in self.listed and (target.literal is not None or allowed_by_name(address))

    def _opens_inner_names(self, target: Target) -> bool:
        """With listed networks inner names make sense; where they lead is judged at the dial like any other."""
        place = (target.host, target.port)
        return bool(self.networks) or place in self.listed or place in self.routes


def current_policy() -> Policy:
    """The policy of the running installation, from Django's settings."""
    return _build_policy(settings.OUTBOUND_ALLOW, settings.OUTBOUND_RESOLVE, settings.OUTBOUND_CA_BUNDLE)


def settings_fault(*, bundle_must_exist: bool) -> str:
    """What is wrong with the door's settings, in one sentence; "" when they can be used."""
    try:
        policy = current_policy()
        if bundle_must_exist or os.path.exists(policy.ca_bundle):
            context_for(policy.ca_bundle)
    except (PolicyError, TrustUnavailable) as error:
        return str(error)
    return ""


def check_url(url: str, *, policy: Policy | None = None) -> None:
    """Judge the form of a URL people enter: https, port 443, a public host. Raises UrlRefused with one sentence.

    No name is resolved: that happens, and is judged, when the URL is called.
    """
    target = (policy or current_policy()).target(url)
    if target.port != STANDARD_PORT:
        raise UrlRefused("The URL must use the standard port 443.")


@lru_cache(maxsize=8)
def _build_policy(allow: str | None, resolve: str | None, ca_bundle: str | None) -> Policy:
    return Policy.parse(allow=allow, resolve=resolve, ca_bundle=ca_bundle)


def _is_inner_name(host: str) -> bool:
    _, dot, last = host.rpartition(".")
    return not dot or last in _INNER_DOMAINS or f".{host}".endswith(".home.arpa")


def _entries(text: str | None) -> tuple[str, ...]:
    return tuple(entry.strip().lower() for entry in (text or "").split(",") if entry.strip())


def _parse_network(entry: str) -> Network:
    try:
        return ip_network(entry)
    except ValueError as error:
        raise PolicyError(
            f"{_ALLOW} holds {entry!r}, which is neither a network such as 10.0.0.0/8 nor host:port."
        ) from error


def _parse_host_port(entry: str, setting: str) -> tuple[str, int]:
    parts = _HOST_PORT.fullmatch(entry)
    if parts is None or not 0 < int(parts["port"]) <= 65_535:
        raise PolicyError(f"{setting} holds {entry!r}, which is not host:port.")
    host = parts["host"].strip("[]")
    address = parse_address(host)
    return (address.compressed if address else host), int(parts["port"])


def _parse_route(entry: str) -> tuple[tuple[str, int], Endpoint]:
    place, separator, destination = entry.partition("=")
    if not separator:
        raise PolicyError(f"{_RESOLVE} holds {entry!r}, which is not host:443=address:port.")
    host, port = _parse_host_port(destination.strip(), _RESOLVE)
    address = parse_address(host)
    if address is None:
        raise PolicyError(f"{_RESOLVE} holds {entry!r}, whose right side is not an address with a port.")
    name = _parse_host_port(place.strip(), _RESOLVE)
    if parse_address(name[0]) is not None:
        raise PolicyError(f"{_RESOLVE} holds {entry!r}, whose left side is not a host name.")
    return name, Endpoint(address.compressed, port)
