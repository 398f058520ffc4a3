"""The one clock of the product: every "now" comes from here, in UTC, so that tests can move it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current moment as an aware UTC datetime."""
    return datetime.now(UTC)
