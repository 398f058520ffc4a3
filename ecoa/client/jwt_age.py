"""How long to use a bearer token.

The token belongs to eCOA and is not ours to verify; only its expiry is read, and only to ask for a new one in time.
A token that says nothing useful is used for a short while.
"""

from __future__ import annotations

import base64
import binascii
import re

from vaultadmin import strict_json

MARGIN = 60.0
UNKNOWN_AGE = 300.0
LONGEST = 24 * 3600.0
# A token that looks expired already (their clock and ours differ) is tried a moment: a 401 says it better.
SHORTEST = 5.0

_HEADER_SAFE = re.compile(r"[\x21-\x7e]{1,8192}")


def is_header_safe(token: str) -> bool:
    """Whether the token can stand in a header without changing it: visible ASCII, no more than 8 KiB."""
    return _HEADER_SAFE.fullmatch(token) is not None


def use_until(token: str, *, now: float) -> float:
    """The moment we stop using the token: a minute before its `exp`, but 5 s from now at least and a day at most."""
    expires = _exp(token)
    if expires is None:
        return now + UNKNOWN_AGE
    return max(now + SHORTEST, min(expires - MARGIN, now + LONGEST))


def _exp(token: str) -> float | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        raw = base64.b64decode(parts[1] + "=" * (-len(parts[1]) % 4), altchars=b"-_", validate=True)
        claims = strict_json.loads(raw)
    except (binascii.Error, ValueError, strict_json.StrictJsonError):
        return None
    value = claims.get("exp") if isinstance(claims, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
