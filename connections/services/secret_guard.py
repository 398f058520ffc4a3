"""A stored secret goes only where somebody who knows it sends it (security.md K5)."""

from __future__ import annotations

import hmac

from connections.models import ConnectionAuthorization
from connections.services.refusals import Refused
from vaultadmin import secrets
from vaultadmin.secrets import SecretUnavailable


def ensure_known(authorization: ConnectionAuthorization, typed: str, *, why: str, field: str) -> None:
    """Refuse unless `typed` is the stored secret. `why` begins the sentence: what would change its destination."""
    if authorization.secret is None:
        return
    try:
        stored = secrets.reveal(authorization.secret)
    except SecretUnavailable as error:
        raise Refused(f"{why}, but the {_named(authorization)} cannot be compared. {error}", field=field) from error
    # A lone surrogate, which a form can bring, is no part of any stored secret.
    if not hmac.compare_digest(stored.encode(), typed.encode("utf-8", "replace")):
        raise Refused(f"{why}: enter the {_named(authorization)} again.", field=field)


def _named(authorization: ConnectionAuthorization) -> str:
    return f"{authorization.secret_label} of “{authorization}”"
