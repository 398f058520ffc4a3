"""Parts of a record that are deleted: the whole they belonged to keeps a row about them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models

from vaultadmin import audit
from vaultadmin.models import Membership


def record_deleted(
    part: models.Model,
    *,
    whole: models.Model,
    fields: Sequence[str],
    event: str,
    by: Membership,
    more: audit.Changes | None = None,
) -> None:
    """Record, inside the caller's transaction, what a part was before it is deleted; `more` is what goes with it.

    Nobody finds a part once it is gone, so the history of the whole tells it, too. That row is marked as told by
    another one: pages that show what people did lately show the deed once.
    """
    gone = {label: (value, None) for label, (_, value) in audit.created(part, fields).items()} | (more or {})
    audit.record(vault=by.vault, by=by, event=event, subject=part, changes=gone)
    audit.record(vault=by.vault, by=by, event=event, subject=whole, changes=gone, in_bulk=True)
