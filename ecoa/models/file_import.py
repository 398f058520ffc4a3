"""A participant file on its way in: the bytes' rows as they were read, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from vaultadmin.permissions import Permission, can

if TYPE_CHECKING:
    from vaultadmin.models import Membership


class ImportState(models.TextChoices):
    """Where a file is. Nothing becomes a participant before a person chooses Import."""

    MAPPING = "mapping", _("Columns to be chosen")
    CHECKING = "checking", _("Being checked")
    READY = "ready", _("Ready to import")
    REFUSED = "refused", _("Cannot be imported")
    STORING = "storing", _("Being imported")
    DONE = "done", _("Imported")
    DISCARDED = "discarded", _("Discarded")


class FileImportQuerySet(models.QuerySet["FileImport"]):
    """Import rows."""

    def visible_to(self, member: Membership) -> FileImportQuerySet:
        """Files span sites: only those who manage eCOA see them."""
        if can(member, Permission.ECOA_MANAGE):
            return self.filter(vault=member.vault_id)
        return self.none()


class FileImport(models.Model):
    """One uploaded file. `cursor` is the last line stored, so an interrupted import goes on where it was."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="file_imports")
    mapping = models.ForeignKey("ecoa.StudyMapping", models.PROTECT, related_name="files", verbose_name=_("study"))
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    encoding = models.CharField(max_length=16, blank=True)
    # The first row as it was read, the first rows after it, and which column is which, by position.
    heading = models.JSONField(default=list, db_default=[])
    sample = models.JSONField(default=list, db_default=[])
    columns = models.JSONField(null=True)
    columns_from = models.ForeignKey(
        "ecoa.ColumnMapping", models.SET_NULL, null=True, related_name="+", verbose_name=_("saved columns")
    )
    notes = models.JSONField(default=list)
    state = models.CharField(max_length=9, choices=ImportState.choices, default=ImportState.CHECKING)
    refusal = models.CharField(max_length=500, blank=True)
    started_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="+")
    starter_label = models.CharField(max_length=255)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    # How often a worker began since the last one that got anywhere: a file that ends workers is given up.
    tries = models.SmallIntegerField(default=0, db_default=0)
    row_count = models.BigIntegerField(default=0)
    bad = models.BigIntegerField(default=0)
    new = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    same = models.BigIntegerField(default=0)
    cursor = models.BigIntegerField(default=0)
    stored = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0)

    objects = FileImportQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["state"], condition=Q(state__in=["checking", "storing"]), name="file_import_unfinished"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def used_columns(self) -> list[tuple[str, str]]:
        """What each of our columns is called in the file; empty while nobody has said so."""
        labels = {"site": _("Site"), "participant_id": _("Participant ID"), "internal_id": _("Internal ID")}
        return [(str(label), self._called(self.columns[name])) for name, label in labels.items() if self.columns]

    @property
    def ignored_columns(self) -> list[str]:
        """The columns nothing is taken from, by name."""
        used = set(self.columns.values()) if self.columns else set()
        return [self._called(place) for place in range(len(self.heading)) if self.columns and place not in used]

    def _called(self, place: int) -> str:
        return self.heading[place] or _("column %(number)d, without a heading") % {"number": place + 1}

    @property
    def good(self) -> int:
        return self.row_count - self.bad


class FileChunk(models.Model):
    """A piece of the uploaded bytes, kept until the file is imported or dropped, so that columns can be chosen anew."""

    pk = models.CompositePrimaryKey("file_id", "number")
    file = models.ForeignKey("ecoa.FileImport", models.CASCADE, related_name="chunks", db_index=False)
    number = models.IntegerField()
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"Piece {self.number}"


class FileRow(models.Model):
    """One line of a file exactly as it was read; preview and import look at the same rows.

    `problems` holds codes of `ecoa.imports.problems`, each with an optional detail after a colon.
    """

    pk = models.CompositePrimaryKey("file_id", "line")
    file = models.ForeignKey("ecoa.FileImport", models.CASCADE, related_name="lines", db_index=False)
    line = models.BigIntegerField()
    site = models.TextField(db_collation="C")
    participant_id = models.TextField(db_collation="C")
    internal_id = models.TextField(db_collation="C")
    problems = ArrayField(models.TextField(), null=True)
    stored_as = models.ForeignKey(
        "ecoa.Participant", models.CASCADE, null=True, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        indexes = [
            models.Index(fields=["file", "line"], condition=Q(problems__isnull=False), name="file_row_with_problems"),
        ]

    def __str__(self) -> str:
        return f"Line {self.line}"
