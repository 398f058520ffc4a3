"""Client IDs as they come with a request (veeva-core 10.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.http import HttpRequest

PARAMETER, HEADER = "client_id", "X-VaultAPI-ClientID"
UNKNOWN, INVALID = "unknown", "invalid_client_id"
LONGEST = 100
_LEGAL = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True)
class ClientId:
    """What came: `value` is empty unless it is legal, `logged` is what the usage log says."""

    value: str
    logged: str


NONE_SENT = ClientId("", UNKNOWN)


def read(request: HttpRequest) -> ClientId:
    """The Client ID of a request; the query parameter wins over the header. Raises when the query cannot be read."""
    sent = request.GET.getlist(PARAMETER) or [request.headers.get(HEADER, "")]
    if len(set(sent)) > 1:
        return ClientId("", INVALID)
    value = sent[0]
    if not value:
        return NONE_SENT
    # Two parts of the product must never read one value differently, so nothing is trimmed or folded.
    return ClientId(value, value) if is_legal(value) else ClientId("", INVALID)


def is_legal(value: str) -> bool:
    """Letters, digits, `.`, `_`, `-`; at most 100 characters."""
    return _LEGAL.fullmatch(value) is not None
