"""Tables that translate values of the other vault into ours (veeva-core section 8.4)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from connections.constants import LookupType, RecordStatus
from connections.rules import STANDARD_NAME
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can_any

_READERS = (Permission.CONNECTION_READ, Permission.MANAGE_INTEGRATIONS)
_OBJECT = Q(type=LookupType.OBJECT)


class ReferenceLookupQuerySet(models.QuerySet["ReferenceLookup"]):
    """Reference lookup rows."""

    def visible_to(self, member: Membership) -> ReferenceLookupQuerySet:
        """Those of the member's vault, if they may read connections or manage integrations."""
        if not can_any(member, _READERS):
            return self.none()
        return self.filter(vault=member.vault_id)

    def active(self) -> ReferenceLookupQuerySet:
        """Those that translate."""
        return self.filter(status=RecordStatus.ACTIVE)


class ReferenceLookup(models.Model):
    """`reference_lookup__sys`: one source key and the target key that stands for it.

    Rows with the same connection, type and `name` are one lookup, the name an integration rule gives. For the type
    Object the name is the target object, whose `target_key_field` holds the target key. Keys are compared byte by byte.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    connection = models.ForeignKey("connections.Connection", models.CASCADE, related_name="reference_lookups")
    type = models.CharField("Lookup Type", max_length=32, choices=LookupType.choices)
    name = models.CharField("Name", max_length=128)
    target_object = models.CharField("Target Object", max_length=128, blank=True)
    target_key_field = models.CharField("Target Key Field", max_length=128, blank=True)
    source_key = models.CharField("Source Key", max_length=255)
    target_key = models.CharField("Target Key", max_length=255)
    status = models.CharField("Status", max_length=16, choices=RecordStatus.choices, default=RecordStatus.ACTIVE.value)
    creation_key = models.UUIDField(unique=True, null=True, editable=False)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()

    objects = ReferenceLookupQuerySet.as_manager()

    class Meta:
        ordering = ["name", "source_key", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "type", "name", "source_key"], name="reference_lookup_source_key_once"
            ),
            models.CheckConstraint(condition=Q(type__in=LookupType.values), name="reference_lookup_type_is_known"),
            models.CheckConstraint(
                condition=(_OBJECT & Q(target_object=F("name"), target_key_field__regex=STANDARD_NAME))
                | (~_OBJECT & Q(target_object="", target_key_field="")),
                name="reference_lookup_only_objects_have_a_key_field",
            ),
            models.CheckConstraint(condition=Q(name__regex=STANDARD_NAME), name="reference_lookup_name_is_an_api_name"),
            models.CheckConstraint(
                condition=~Q(source_key="") & ~Q(target_key=""), name="reference_lookup_has_both_keys"
            ),
            models.CheckConstraint(
                condition=Q(status__in=RecordStatus.values), name="reference_lookup_status_is_known"
            ),
        ]
        indexes = [models.Index(fields=["vault", "-id"], name="reference_lookup_by_vault")]

    def __str__(self) -> str:
        return f"{self.name}: {self.source_key}"

    @property
    def is_active(self) -> bool:
        """Does it translate?"""
        return self.status == RecordStatus.ACTIVE
