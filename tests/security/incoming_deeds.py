"""The forms for messages whose processing was given up."""

from __future__ import annotations

from tests.security.deed import Deed, nothing, reason

_ONE = "v/<int:vault_id>/admin/messages/incoming/<int:incoming_id>/"

DEEDS = [
    Deed(f"{_ONE}process-again/", nothing),
    Deed(f"{_ONE}remove/", reason),
]
