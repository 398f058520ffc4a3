"""Settings of this app with their defaults; a value in Django's settings of the same name wins."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from connections.rollover import Periods


def file_lifetime() -> timedelta:
    """How long a connection file can be used (veeva-core section 3)."""
    return timedelta(hours=getattr(settings, "CONNECTION_FILE_HOURS", 72))


def certificate_lifetime() -> timedelta:
    """How long a signing certificate lives; the product renews it well before."""
    return timedelta(days=getattr(settings, "SIGNING_CERTIFICATE_DAYS", 3 * 365))


def certificate_periods() -> Periods:
    """How long ahead of its end a certificate's successor is published, tested and rolled over."""
    return Periods(
        notice=timedelta(days=getattr(settings, "SIGNING_CERTIFICATE_NOTICE_DAYS", 90)),
        test=timedelta(days=getattr(settings, "SIGNING_CERTIFICATE_TEST_DAYS", 30)),
        rollover=timedelta(days=getattr(settings, "SIGNING_CERTIFICATE_ROLLOVER_DAYS", 30)),
    )


def certificate_mail_days() -> tuple[int, ...]:
    """How many days before connections move to a new certificate those who manage them are told by mail."""
    return tuple(getattr(settings, "SIGNING_CERTIFICATE_MAIL_DAYS", (30, 7)))


def signing_key_bits() -> int:
    """Size of a new RSA signing key. 3072 bits are good past 2030; never below 2048."""
    return max(2048, getattr(settings, "SIGNING_KEY_BITS", 3072))


def peer_clock_tolerance() -> timedelta:
    """How far the other side's clock may be off before its messages are refused."""
    return timedelta(seconds=getattr(settings, "PEER_CLOCK_TOLERANCE_SECONDS", 300))


def ends_on_bad_certificate() -> bool:
    """Is a message given up at once when the receiver's TLS certificate is not accepted (veeva-core section 6.5)?"""
    return bool(getattr(settings, "SPARK_ENDS_ON_BAD_CERTIFICATE", True))


def spark_call_seconds() -> int:
    """How long one call to a receiver may take, to the last byte of its answer: 1 to 50 seconds, less than a lease."""
    return min(max(getattr(settings, "SPARK_CALL_SECONDS", 30), 1), 50)


def spark_calls_per_connection() -> int:
    """How many calls may be under way to one connection of a queue."""
    return max(1, getattr(settings, "SPARK_CALLS_PER_CONNECTION", 16))


def file_notice() -> timedelta:
    """How long before its end an unused connection file is shown on the home page."""
    return timedelta(hours=getattr(settings, "CONNECTION_FILE_NOTICE_HOURS", 24))


def token_notice() -> timedelta:
    """How long before its end an API access token is shown on the home page."""
    return timedelta(days=getattr(settings, "API_TOKEN_NOTICE_DAYS", 14))


def secret_age() -> timedelta:
    """How old the secret of an authorization may be before the home page asks for another."""
    return timedelta(days=getattr(settings, "SECRET_AGE_DAYS", 365))
