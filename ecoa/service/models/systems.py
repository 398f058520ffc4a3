"""Who may call the service."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ecoa.contract import IDENTIFIER_MAX
from vaultadmin.permissions import Permission, can

if TYPE_CHECKING:
    from vaultadmin.models import Membership


_Row = TypeVar("_Row", bound=models.Model)


class OwnedQuerySet(models.QuerySet[_Row]):
    """Rows of the service as people may see them: their own vault's. What was seeded without a vault nobody sees."""

    def visible_to(self, member: Membership) -> Self:
        """Those who manage eCOA in the vault that looks after the row."""
        if not can(member, Permission.ECOA_MANAGE):
            return self.none()
        return self.filter(vault=member.vault_id)


class SystemQuerySet(OwnedQuerySet["ServiceSystem"]):
    """Systems as people may see them."""


class ServiceSystem(models.Model):
    """An integrating system. `vault` is the vault whose people look after it; callers never see that.

    An empty address list lets it call from anywhere.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="service_systems", null=True, blank=True)
    external_id = models.CharField("External system ID", max_length=IDENTIFIER_MAX, unique=True)
    integration_enabled = models.BooleanField("Integration enabled", default=True)
    allowed_addresses = ArrayField(
        models.CharField(max_length=49), verbose_name="Allowed addresses", default=list, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SystemQuerySet.as_manager()

    def __str__(self) -> str:
        return self.external_id


class ServiceSecret(models.Model):
    """A secret of a system, kept as a salted digest; `ecoa.service.systems` says why that is enough.

    Every token carries the version of the secret it was given for and ends with it: at once when the secret is
    revoked, else at `ends_at`, which a newer secret sets so that both hold while the caller changes over.
    """

    system = models.ForeignKey(ServiceSystem, models.CASCADE, related_name="secrets")
    version = models.PositiveIntegerField()
    salt = models.BinaryField(max_length=16)
    digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField("Ends", null=True, blank=True)
    revoked_at = models.DateTimeField("Revoked", null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "version"], name="ecoa_service_secret_once")]

    def __str__(self) -> str:
        return f"Secret {self.version} of {self.system}"

    def state(self, now: datetime) -> str:
        """`active`, `expiring` (a newer one is out), `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.ends_at is None:
            return "active"
        return "expiring" if self.ends_at > now else "expired"


class ServiceTenant(models.Model):
    """An entity on whose behalf a system calls; a system may serve several."""

    system = models.ForeignKey(ServiceSystem, models.CASCADE, related_name="tenants")
    tenant_id = models.CharField(max_length=IDENTIFIER_MAX)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "tenant_id"], name="ecoa_service_tenant_once")]

    def __str__(self) -> str:
        return self.tenant_id
