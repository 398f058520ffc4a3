"""A stored secret goes only where somebody who knows it sends it (security.md K5)."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from connections.models import ConnectionAuthorization
from connections.services.refusals import Refused
from vaultadmin import audit, secrets
from vaultadmin.models import Membership
from vaultadmin.secrets import SecretUnavailable


class WrongSecret(Refused):
    """Another secret than the stored one was typed."""

    def __init__(self, sentence: str, *, field: str, authorization: ConnectionAuthorization) -> None:
        super().__init__(sentence, field=field)
        self.authorization = authorization


@contextmanager
def watched(*, by: Membership) -> Iterator[None]:
    """Around the transaction of a change: a wrong secret leaves a row in the trail although nothing is changed."""
    try:
        yield
    except WrongSecret as wrong:
        with transaction.atomic():
            about = wrong.authorization
            audit.record(vault=by.vault, by=by, event="authorization.wrong_secret", subject=about, reason=str(wrong))
        raise


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
        sentence = f"{why}: enter the {_named(authorization)} again."
        if typed:
            raise WrongSecret(sentence, field=field, authorization=authorization)
        raise Refused(sentence, field=field)


def _named(authorization: ConnectionAuthorization) -> str:
    return f"{authorization.secret_label} of “{authorization}”"
