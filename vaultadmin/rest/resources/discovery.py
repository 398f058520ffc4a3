"""Which versions there are, and where."""

from __future__ import annotations

from typing import Any

from vaultadmin.rest.admission import SignIn
from vaultadmin.rest.call import Call
from vaultadmin.rest.endpoint import endpoint
from vaultadmin.rest.versions import PUBLISHED


@endpoint("GET", sign_in=SignIn.OPTIONAL, filtered=False)
def versions(call: Call) -> dict[str, Any]:
    """`GET /api/`: open to everybody, filtering or not, so that a client can find out what to send."""
    return _addresses(call)


@endpoint("GET", sign_in=SignIn.OPTIONAL)
def version(call: Call) -> dict[str, Any]:
    """`GET /api/{v}`: clients ask it whether their session still lives."""
    return _addresses(call)


def _addresses(call: Call) -> dict[str, Any]:
    return {"values": {name: f"{call.root}/{name}" for name in PUBLISHED}}
