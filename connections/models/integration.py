"""What a connection between two vaults is used for (veeva-core section 7)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from connections.constants import IntegrationPointType, RecordStatus
from connections.rules import API_NAME_LENGTH, OWN_NAME, STANDARD_NAME
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can_any

_READERS = (Permission.CONNECTION_READ, Permission.MANAGE_INTEGRATIONS)


_WRITTEN_RIGHT = Q(system_managed=False, api_name__regex=OWN_NAME) | Q(
    system_managed=True, api_name__regex=STANDARD_NAME
)


class IntegrationQuerySet(models.QuerySet["Integration"]):
    """Integration rows."""

    def visible_to(self, member: Membership) -> IntegrationQuerySet:
        """Those of the member's vault, if they may read connections or manage integrations."""
        if not can_any(member, _READERS):
            return self.none()
        return self.filter(vault=member.vault_id)

    def active(self) -> IntegrationQuerySet:
        """Those switched on."""
        return self.filter(status=RecordStatus.ACTIVE)


class Integration(models.Model):
    """`integration__sys`: one self-contained set of integration points; Inactive switches it off.

    A system-managed one came with a standard connection: only its status is for people to change. `standard_key`
    names the catalogue entry it was loaded from.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    connection = models.ForeignKey("connections.Connection", models.CASCADE, related_name="integrations")
    name = models.CharField("Name", max_length=128)
    api_name = models.CharField("Integration API Name", max_length=API_NAME_LENGTH)
    status = models.CharField("Status", max_length=16, choices=RecordStatus.choices, default=RecordStatus.ACTIVE.value)
    description = models.TextField("Description", max_length=2000, blank=True)
    system_managed = models.BooleanField("System Managed", default=False)
    standard_key = models.CharField(max_length=64, blank=True, editable=False)
    creation_key = models.UUIDField(unique=True, null=True, editable=False)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()

    objects = IntegrationQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["vault", "api_name"], name="integration_api_name_once_per_vault"),
            # The target of the points' composite reference: a point is of its integration's vault and kind.
            models.UniqueConstraint(fields=["id", "vault", "system_managed"], name="integration_in_its_vault"),
            models.CheckConstraint(condition=_WRITTEN_RIGHT, name="integration_api_name_is_written_right"),
            models.CheckConstraint(condition=Q(status__in=RecordStatus.values), name="integration_status_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Is it switched on?"""
        return self.status == RecordStatus.ACTIVE


class IntegrationPoint(models.Model):
    """`integration_point__sys`: one step of an integration in this vault, sending or receiving.

    A message names the receiving point's API name; errors are shown at it.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="points")
    type = models.CharField("Integration Point Type", max_length=32, choices=IntegrationPointType.choices)
    name = models.CharField("Name", max_length=128)
    api_name = models.CharField("Integration Point API Name", max_length=API_NAME_LENGTH)
    status = models.CharField("Status", max_length=16, choices=RecordStatus.choices, default=RecordStatus.ACTIVE.value)
    description = models.TextField("Description", max_length=2000, blank=True)
    system_managed = models.BooleanField("System Managed", default=False)
    creation_key = models.UUIDField(unique=True, null=True, editable=False)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["vault", "api_name"], name="integration_point_api_name_once_per_vault"),
            models.CheckConstraint(condition=_WRITTEN_RIGHT, name="integration_point_api_name_is_written_right"),
            models.CheckConstraint(
                condition=Q(type__in=IntegrationPointType.values), name="integration_point_type_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=RecordStatus.values), name="integration_point_status_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name
