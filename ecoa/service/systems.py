"""Integrating systems: their secrets and the addresses they may call from.

A secret is kept as SHA-256 over a random salt and the secret. That is enough, and a slow password hash would be
wrong: secrets are issued here with 256 random bits, so there is nothing to guess from a stolen digest, while a slow
hash would let anyone who posts wrong secrets keep the machine busy.
"""

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Sequence
from functools import lru_cache

from django.db import transaction

from ecoa.service.models import ServiceSystem
from vaultadmin import audit

_SALT_BYTES = 16


class AddressListError(ValueError):
    """An entry of an address list is neither an address nor a network; the message names it."""


def issue_secret() -> str:
    """A new secret, to be shown once."""
    return secrets.token_urlsafe(32)


@transaction.atomic
def create_system(
    *, external_id: str, secret: str, by: audit.Actor, allowed_addresses: Sequence[str] = ()
) -> ServiceSystem:
    """A system that may call from `allowed_addresses`, or from anywhere when there are none."""
    salt, digest = _digest(secret)
    system = ServiceSystem.objects.create(
        external_id=external_id,
        allowed_addresses=clean_addresses(allowed_addresses),
        secret_salt=salt,
        secret_digest=digest,
    )
    changes = audit.created(system, ["external_id", "allowed_addresses"])
    audit.record(vault=None, by=by, event="ecoa_system.created", subject=system, changes=changes)
    return system


@transaction.atomic
def replace_secret(system: ServiceSystem, *, secret: str, by: audit.Actor) -> ServiceSystem:
    """Give the system another secret. Tokens of the old one are refused from this commit on."""
    row = ServiceSystem.objects.select_for_update().get(pk=system.pk)
    row.secret_salt, row.secret_digest = _digest(secret)
    row.secret_version += 1
    row.save(update_fields=["secret_salt", "secret_digest", "secret_version"])
    changes = {"Secret": (None, audit.SECRET_CHANGED)}
    audit.record(vault=None, by=by, event="ecoa_system.secret_replaced", subject=row, changes=changes)
    return row


@transaction.atomic
def allow_addresses(system: ServiceSystem, *, addresses: Sequence[str], by: audit.Actor) -> ServiceSystem:
    """Replace the list of addresses and networks the system may call from; an empty list allows any."""
    row = ServiceSystem.objects.select_for_update().get(pk=system.pk)
    before = audit.snapshot(row, ["allowed_addresses"])
    row.allowed_addresses = clean_addresses(addresses)
    row.save(update_fields=["allowed_addresses"])
    changes = audit.diff(before, row, ["allowed_addresses"])
    audit.record(vault=None, by=by, event="ecoa_system.addresses_changed", subject=row, changes=changes)
    return row


def secret_matches(system: ServiceSystem | None, secret: str) -> bool:
    """Compare in constant time. An unknown system costs the same, so that timing does not tell which ids exist."""
    salt = bytes(system.secret_salt) if system else bytes(_SALT_BYTES)
    expected = bytes(system.secret_digest) if system else bytes(hashlib.sha256().digest_size)
    return hmac.compare_digest(_hash(salt, secret), expected) and system is not None


def may_call_from(allowed: Sequence[str], address: str) -> bool:
    """Whether a caller's address is on the list; an empty list allows any."""
    if not allowed:
        return True
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(caller, ipaddress.IPv6Address) and caller.ipv4_mapped:
        caller = caller.ipv4_mapped
    return any(caller in network for network in _networks(tuple(allowed)))


def clean_addresses(addresses: Sequence[str]) -> list[str]:
    """The entries as networks in their usual spelling."""
    cleaned = []
    for entry in addresses:
        try:
            cleaned.append(str(ipaddress.ip_network(entry.strip())))
        except ValueError as error:
            raise AddressListError(f"{entry.strip()[:60]} is neither an IP address nor a network.") from error
    return cleaned


@lru_cache(maxsize=256)
def _networks(allowed: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(entry) for entry in allowed)


def _digest(secret: str) -> tuple[bytes, bytes]:
    salt = secrets.token_bytes(_SALT_BYTES)
    return salt, _hash(salt, secret)


def _hash(salt: bytes, secret: str) -> bytes:
    return hashlib.sha256(salt + secret.encode()).digest()
