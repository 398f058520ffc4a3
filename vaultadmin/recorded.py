"""Which of the platform's records have a history page and who sees it."""

from __future__ import annotations

from django.db.models import Model
from django.urls import reverse

from vaultadmin.models import Membership, SecurityProfile
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Recorded, by_number, record_kind


def register() -> None:
    """Offer the histories of people and their profiles."""
    record_kind(
        Recorded(
            kind="user",
            model=Membership,
            find=_person,
            url=lambda member, row: reverse("vault:user", args=[member.vault_id, row.pk]),
            fields=("user", "profile", "is_active", "created_at"),
        )
    )
    record_kind(
        Recorded(
            kind="security-profile",
            model=SecurityProfile,
            find=_profile,
            url=lambda member, row: reverse("vault:profile", args=[member.vault_id, row.api_name]),
            fields=("name", "api_name", "is_standard", "permissions", "requires_second_factor"),
        )
    )


def _person(member: Membership, key: str) -> Model | None:
    rows = Membership.objects.filter(vault=member.vault_id).select_related("user", "profile")
    return by_number(rows, key) if can(member, Permission.ADMIN_USERS) else None


def _profile(member: Membership, key: str) -> Model | None:
    rows = SecurityProfile.objects.filter(vault=member.vault_id)
    return by_number(rows, key) if can(member, Permission.ADMIN_SECURITY_PROFILES) else None
