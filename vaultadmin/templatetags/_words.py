"""Words for what machines wrote down: values of the audit trail, browsers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from vaultadmin.templatetags import _times

# Order matters: most browsers also carry the names of those they descend from.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def browser_of(user_agent: str) -> str:
    """ "Firefox on Windows"; the beginning of what it called itself where that says nothing we know."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return " on ".join(filter(None, (browser, system))) or user_agent[:60] or "Unknown"


def value_of(value: Any) -> str:
    """One side of a change as people read it."""
    if value is None or value == "" or value == []:
        return "(empty)"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(value_of(item) for item in value)
    if isinstance(value, str) and (moment := _moment(value)):
        return _times.exact(moment)
    return str(value)


def _moment(text: str) -> datetime | None:
    # The trail keeps times as ISO 8601 with an offset; nothing shorter than that is one.
    if len(text) < 20 or text[10:11] != "T":
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
