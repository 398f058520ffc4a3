"""What must be right before the installation starts; each finding is one sentence for the operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks

from vaultadmin import crypto, outbound

_KEY_LENGTH = 50
_KEY_VARIETY = 5
_DEMO_DOMAIN = "demo.test"


def register() -> None:
    """Have Django run them with its own, at `check` and at `serve`."""
    checks.register(network_door)
    checks.register(encryption_keys)
    checks.register(production)


def network_door(**_options: Any) -> list[checks.CheckMessage]:
    """The door's settings can be read."""
    # A development installation makes its own bundle while it starts.
    fault = outbound.settings_fault(bundle_must_exist=settings.PRODUCTION)
    return [checks.Error(fault, id="vaultadmin.E001")] if fault else []


def encryption_keys(**_options: Any) -> list[checks.CheckMessage]:
    """The keyring opens. A development installation that has none yet makes one while it starts."""
    if not (settings.PRODUCTION or settings.ENCRYPTION_KEYS or settings.KEYRING_FILE.exists()):
        return []
    try:
        crypto.Keyring.from_env_or_file(settings.KEYRING_FILE, settings.ENCRYPTION_KEYS, must_exist=True)
    except crypto.KeyringError as error:
        return [checks.Error(str(error), id="vaultadmin.E002")]
    return []


def production(**_options: Any) -> list[checks.CheckMessage]:
    """A production installation has no setting that is only good enough for a development one."""
    if not settings.PRODUCTION:
        return []
    found = (*_hosts(), *_secret_key(), *_demo_leftovers(), *_open_networks(), *_faults())
    return [checks.Error(sentence, id=f"vaultadmin.{number}") for number, sentence in found]


def _hosts() -> Iterator[tuple[str, str]]:
    if not settings.ALLOWED_HOSTS:
        yield "E010", "Set VAULTADMIN_ALLOWED_HOSTS to the host names this installation answers to."
    if "*" in settings.ALLOWED_HOSTS:
        yield "E011", "VAULTADMIN_ALLOWED_HOSTS must name the hosts: * lets anybody choose where our links lead."
    if not settings.PUBLIC_URL.startswith("https://"):
        yield "E012", "Set VAULTADMIN_PUBLIC_URL to the https:// address people use."


def _secret_key() -> Iterator[tuple[str, str]]:
    # That there is one at all, settings.py asks already: without it there would be no settings to check.
    key = settings.SECRET_KEY
    if len(key) < _KEY_LENGTH or len(set(key)) < _KEY_VARIETY:
        yield "E013", f"VAULTADMIN_SECRET_KEY must be {_KEY_LENGTH} random characters or more."


def _demo_leftovers() -> Iterator[tuple[str, str]]:
    if any(_is_demo(host) for host, _port in _policy().routes):
        yield "E014", f"VAULTADMIN_OUTBOUND_RESOLVE must not lead names below {_DEMO_DOMAIN} anywhere in production."
    if any(_is_demo(suffix.strip(".")) for suffix in settings.ECOA_REGION_SUFFIXES):
        yield "E015", f"VAULTADMIN_ECOA_REGION_SUFFIXES must not name {_DEMO_DOMAIN} in production."


def _faults() -> Iterator[tuple[str, str]]:
    if settings.ECOA_FAULTS:
        yield "E017", "VAULTADMIN_ECOA_FAULTS must not be set in production: no call may go wrong on purpose there."


def _open_networks() -> Iterator[tuple[str, str]]:
    if any(network.prefixlen == 0 for network in _policy().networks):
        yield "E016", "VAULTADMIN_OUTBOUND_ALLOW must name single networks: this one opens every address there is."


def _is_demo(host: str) -> bool:
    return f".{host}".endswith(f".{_DEMO_DOMAIN}")


def _policy() -> outbound.Policy:
    """The policy in force; an empty one when its settings cannot be read, which `network_door` tells."""
    try:
        return outbound.current_policy()
    except outbound.PolicyError:
        return outbound.Policy()
