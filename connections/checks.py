"""What the settings of signing certificates must be before a production installation starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks

from connections import conf, rollover

_LEAST_BITS = 2048


def register() -> None:
    """Have Django run them with its own."""
    checks.register(signing_certificates)


def signing_certificates(**_options: Any) -> list[checks.CheckMessage]:
    """Keys are long enough, and a successor has the time its stages take."""
    if not settings.PRODUCTION:
        return []
    return [checks.Error(sentence, id=f"connections.{number}") for number, sentence in _faults()]


def _faults() -> Iterator[tuple[str, str]]:
    periods = conf.certificate_periods()
    if settings.SIGNING_KEY_BITS < _LEAST_BITS:
        yield "E001", f"VAULTADMIN_CERTIFICATE_KEY_BITS must be {_LEAST_BITS} or more."
    if periods.notice < periods.test + periods.rollover + rollover.SPARE:
        yield "E002", "VAULTADMIN_CERTIFICATE_NOTICE_DAYS must be more than the days of test and rollover together."
    if conf.certificate_lifetime() <= periods.notice:
        yield "E003", "VAULTADMIN_CERTIFICATE_DAYS must be more than VAULTADMIN_CERTIFICATE_NOTICE_DAYS."
