"""Where the history of a record is."""

from __future__ import annotations

from django.db.models import Model
from django.urls import reverse

from vaultadmin import registries
from vaultadmin.models import AuditEvent


def url_of(record: Model, *, vault_id: int) -> str:
    """The history page of a record in this vault; empty when its kind has none."""
    kind = registries.kind_of(record)
    return reverse("vault:history", args=[vault_id, kind.kind, record.pk]) if kind else ""


def url_of_row(row: AuditEvent) -> str:
    """The history page of what an audit row is about; empty when its kind has none."""
    for kind in registries.recorded.values():
        if kind.model._meta.label_lower == row.subject_type and row.subject_id:
            return reverse("vault:history", args=[row.chain, kind.kind, row.subject_id])
    return ""
