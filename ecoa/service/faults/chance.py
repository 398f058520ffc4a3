"""Chance that repeats itself: what a seed and the number of a call decide, here and in the database alike."""

from __future__ import annotations

import math
from hashlib import sha256
from statistics import NormalDist

from ecoa.service.models.faults import HOLD_MAX_SECONDS, Distribution

_DIGITS = 13
_RANGE = float(16**_DIGITS)
_STANDARD = NormalDist()

# The same number as `draw`, for a row with the columns seed, kind and number: 52 bits, exact in both places.
DRAW_SQL = (
    f"(('x' || substr(encode(sha256(convert_to(seed || ':' || kind || ':' || number, 'UTF8')), 'hex'), 1, {_DIGITS}))"
    f"::bit({_DIGITS * 4})::bigint / {_RANGE!r}::float8)"
)


def draw(seed: int, purpose: str, number: int) -> float:
    """A number from 0 up to 1 for the `number`-th call of a seed. Each purpose (a kind of fault) draws on its own."""
    return int(sha256(f"{seed}:{purpose}:{number}".encode()).hexdigest()[:_DIGITS], 16) / _RANGE


def delay(
    *,
    distribution: Distribution,
    value: float,
    least: float,
    most: float,
    spread: float,
    seed: int,
    number: int,
) -> float:
    """How long the `number`-th call waits, in seconds, never longer than any fault may hold a call."""
    bound = min(most, HOLD_MAX_SECONDS)
    if distribution is Distribution.FIXED:
        return min(max(value, 0.0), HOLD_MAX_SECONDS)
    chance = draw(seed, "delay", number)
    if distribution is Distribution.UNIFORM:
        return least + chance * max(bound - least, 0.0)
    # A draw of exactly 0 has no quantile; half a step above it has.
    quantile = _STANDARD.inv_cdf(max(chance, 0.5 / _RANGE))
    return min(max(value * math.exp(spread * quantile), least), bound)
