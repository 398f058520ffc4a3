"""Times in words. static/js/times.js says the same sentences in the browser; change both together."""

from __future__ import annotations

from datetime import UTC, datetime

_STEPS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
_LONGEST = 30 * 86_400


def exact(moment: datetime) -> str:
    """The moment to the second: 2026-05-14 09:12:03 UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(moment: datetime) -> str:
    """The form people paste into other systems: 2026-05-14T09:12:03Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def relative(moment: datetime, now: datetime) -> str:
    """Just now, 3 minutes ago, in 2 days; beyond thirty days the date itself."""
    seconds = (now - moment).total_seconds()
    distance = abs(seconds)
    if distance < 45:
        return "just now"
    if distance >= _LONGEST:
        day = moment.astimezone(UTC)
        return f"{day.day} {day:%b %Y}"
    size, word = next((step for step in _STEPS if distance >= step[0]), _STEPS[-1])
    count = max(1, int(distance // size))
    phrase = f"{count} {word}{'' if count == 1 else 's'}"
    return f"{phrase} ago" if seconds > 0 else f"in {phrase}"


def lasting(moment: datetime, now: datetime) -> str:
    """How long something has been so: for 3 minutes; beyond thirty days since the date."""
    words = relative(moment, now)
    if words.endswith(" ago"):
        return f"for {words.removesuffix(' ago')}"
    return "for less than a minute" if words == "just now" else f"since {words}"
