"""API access tokens: how a person's programs sign in. Hashed at rest, shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models

from vaultadmin.permissions import Permission

if TYPE_CHECKING:
    from vaultadmin.models.membership import Membership


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Token rows."""

    def visible_to(self, member: Membership) -> ApiTokenQuerySet:
        """A person's own tokens in this vault."""
        return self.filter(membership=member)


class ApiToken(models.Model):
    """A bearer token bound to one membership, narrowed to some of its permissions, always with an end."""

    membership = models.ForeignKey("vaultadmin.Membership", models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=128)
    token_hash = models.BinaryField(unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False, help_text="First characters, so that people can tell them.")
    scopes = ArrayField(models.CharField(max_length=64, choices=Permission.choices))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def labels(self) -> list[str]:
        """What it may use, in the words of the screen; permissions that are gone are left out."""
        return [permission.label for permission in Permission if permission.value in self.scopes]
