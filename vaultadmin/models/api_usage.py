"""The API usage log: one row a call of the machine interfaces, kept thirty days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from vaultadmin.permissions import Permission, can

if TYPE_CHECKING:
    from vaultadmin.models.membership import Membership


class ApiUsageQuerySet(models.QuerySet["ApiUsage"]):
    """Rows of the log."""

    def visible_to(self, member: Membership) -> ApiUsageQuerySet:
        """Those of the member's vault, if they may read the log."""
        if not can(member, Permission.API_USAGE_LOGS):
            return self.none()
        return self.filter(vault=member.vault_id)


class ApiUsage(models.Model):
    """One call: who, what, how it ended, how long it took. Never a body, a query or a secret.

    `user_id` and `username` are values and not a reference: the log says who it was then.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, null=True, related_name="+", db_index=False)
    at = models.DateTimeField("timestamp")
    session_id = models.CharField(max_length=12, blank=True)
    user_id = models.BigIntegerField(null=True)
    username = models.CharField(max_length=255, blank=True)
    http_method = models.CharField(max_length=16)
    endpoint = models.CharField(max_length=500)
    http_response_status = models.PositiveSmallIntegerField()
    api_version = models.CharField(max_length=16, blank=True)
    api_response_status = models.CharField(max_length=16)
    api_response_error_type = models.CharField(max_length=64, blank=True)
    api_response_error_message = models.CharField(max_length=500, blank=True)
    api_response_warning_type = models.CharField(max_length=64, blank=True)
    api_response_warning_message = models.CharField(max_length=500, blank=True)
    execution_id = models.UUIDField()
    client_id = models.CharField(max_length=100)
    client_ip = models.CharField(max_length=45, blank=True)
    burst_limit_remaining = models.IntegerField()
    duration = models.PositiveIntegerField(help_text="Milliseconds")
    response_delay = models.PositiveIntegerField(default=0, help_text="Milliseconds")
    connection = models.CharField(max_length=64, blank=True)
    api_resource = models.CharField(max_length=200, blank=True)
    reference_id = models.CharField(max_length=100, blank=True)

    objects = ApiUsageQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["vault", "id"], name="api_usage_by_vault"),
            # Also finds the distinct client ids of a vault without reading its calls.
            models.Index(fields=["vault", "client_id", "id"], name="api_usage_by_client_id"),
            # Rows come in the order of time, so a few pages of index find a day, and its end.
            BrinIndex(fields=["at"], name="api_usage_by_time", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"{self.http_method} {self.endpoint}"
