"""Who may call the service."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ecoa.contract import IDENTIFIER_MAX


class ServiceSystem(models.Model):
    """An integrating system. Its secret is kept as a salted digest; `ecoa.service.systems` says why that is enough.

    `secret_version` stands in every token: replacing the secret ends the tokens of the old one at once.
    """

    external_id = models.CharField(max_length=IDENTIFIER_MAX, unique=True)
    integration_enabled = models.BooleanField(default=True)
    allowed_addresses = ArrayField(models.CharField(max_length=49), default=list, blank=True)
    secret_salt = models.BinaryField(max_length=16)
    secret_digest = models.BinaryField(max_length=32)
    secret_version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.external_id


class ServiceTenant(models.Model):
    """An entity on whose behalf a system calls; a system may serve several."""

    system = models.ForeignKey(ServiceSystem, models.CASCADE, related_name="tenants")
    tenant_id = models.CharField(max_length=IDENTIFIER_MAX)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "tenant_id"], name="ecoa_service_tenant_once")]

    def __str__(self) -> str:
        return self.tenant_id
