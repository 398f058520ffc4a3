"""Which versions of the API there are (veeva-core 15.2)."""

from __future__ import annotations

_FIRST, _LAST = 19, 25
PUBLISHED = tuple(f"v{year}.{release}" for year in range(_FIRST, _LAST + 1) for release in (1, 2, 3))


class VersionConverter:
    """Any version of the right form: clients of many years call, and every one gets the same answers."""

    regex = r"v[0-9]{1,4}\.[0-9]"

    def to_python(self, value: str) -> str:
        """As written."""
        return value

    def to_url(self, value: str) -> str:
        """As written."""
        return value
