"""Questions about participant files, their lines and how their columns are read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q, QuerySet

from ecoa.models import ColumnMapping, FileImport, FileRow
from vaultadmin.models import Membership
from vaultadmin.query import PAGE
from vaultadmin.registries import Lane

_COUNTED = 100


def files(member: Membership) -> QuerySet[FileImport]:
    """Visible participant files."""
    return FileImport.objects.visible_to(member).select_related("mapping__vault", "vault", "columns_from")


def column_mappings(member: Membership) -> QuerySet[ColumnMapping]:
    """Visible saved columns by study and name."""
    return ColumnMapping.objects.visible_to(member).select_related("mapping", "vault")


def problem_rows(file: FileImport, *, after: int = 0) -> list[FileRow]:
    """The next lines of a file that cannot be imported, one more than a page to show whether it ends."""
    rows = FileRow.objects.filter(file=file, problems__isnull=False, line__gt=after).order_by("line")
    return list(rows[: PAGE + 1])


def all_problem_rows(file: FileImport) -> Iterator[FileRow]:
    """Every line of a file that cannot be imported, read in pieces."""
    rows = FileRow.objects.filter(file=file, problems__isnull=False).order_by("line")
    return rows.iterator(chunk_size=2000)


def sample_rows(file: FileImport, *, amount: int = 5) -> list[FileRow]:
    """The first good lines of a file, to show that it was understood."""
    return list(FileRow.objects.filter(file=file, problems__isnull=True).order_by("line")[:amount])


def import_lane(now: datetime) -> Lane:
    """Files that wait to be checked or stored."""
    free = Q(lease_token__isnull=True) | Q(lease_until__lt=now)
    due = FileImport.objects.filter(free, state__in=["checking", "storing"]).order_by("created_at")
    oldest = due.values_list("created_at", flat=True).first()
    return Lane("Participant files", len(due.values_list("pk")[: _COUNTED + 1]), oldest)
