"""Which column of a file is which, remembered for files with the same first row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from vaultadmin.permissions import Permission, can

if TYPE_CHECKING:
    from vaultadmin.models import Membership


class ColumnMappingQuerySet(models.QuerySet["ColumnMapping"]):
    """Column mapping rows."""

    def visible_to(self, member: Membership) -> ColumnMappingQuerySet:
        """As the files they are for."""
        if can(member, Permission.ECOA_MANAGE):
            return self.filter(vault=member.vault_id)
        return self.none()


class ColumnMapping(models.Model):
    """The columns people chose for files of one study that begin with `heading`; positions count from 0.

    `heading_key` is what two first rows are compared by (ecoa.imports.columns.key), so each first row is known once.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    mapping = models.ForeignKey(
        "ecoa.StudyMapping", models.CASCADE, related_name="column_mappings", verbose_name=_("study")
    )
    name = models.CharField(_("name"), max_length=128)
    heading = models.JSONField(_("first row"))
    heading_key = models.CharField(max_length=64, editable=False)
    site = models.SmallIntegerField(_("site"))
    participant_id = models.SmallIntegerField(_("participant ID"))
    internal_id = models.SmallIntegerField(_("internal ID"))
    created_at = models.DateTimeField()

    objects = ColumnMappingQuerySet.as_manager()

    class Meta:
        ordering = ["mapping__name", "name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["mapping", "name"], name="column_mapping_name_once"),
            models.UniqueConstraint(fields=["mapping", "heading_key"], name="column_mapping_heading_once"),
        ]

    def __str__(self) -> str:
        return self.name
