"""Which of the platform's records have a history page and who sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.urls import reverse

from vaultadmin.models import ApiToken, Delegation, Membership, SecurityProfile, VaultSettings
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Recorded, by_number, record_kind
from vaultadmin.services import vault_settings


def register() -> None:
    """Offer the histories of people, their profiles and the vault's settings."""
    record_kind(
        Recorded(
            kind="user",
            model=Membership,
            find=_person,
            url=lambda member, row: reverse("vault:user", args=[member.vault_id, row.pk]),
            fields=("user", "profile", "is_active", "created_at"),
            parts=_what_a_person_holds,
        )
    )
    record_kind(
        Recorded(
            kind="settings",
            model=VaultSettings,
            find=_settings,
            url=lambda member, row: reverse("vault:settings", args=[member.vault_id]),
            fields=(*vault_settings.FIELDS, "modified_at"),
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


def _what_a_person_holds(person: Membership) -> Sequence[Model | QuerySet[Any]]:
    """Tokens made and revoked, and approvals lent and borrowed, with the history of whose they are."""
    lent = Delegation.objects.filter(Q(from_member=person) | Q(to_member=person))
    return [ApiToken.objects.filter(membership=person), lent]


def _settings(member: Membership, key: str) -> Model | None:
    rows = VaultSettings.objects.filter(vault=member.vault_id).select_related("vault")
    return by_number(rows, key) if can(member, Permission.ADMIN_SETTINGS) else None


def _profile(member: Membership, key: str) -> Model | None:
    rows = SecurityProfile.objects.filter(vault=member.vault_id)
    return by_number(rows, key) if can(member, Permission.ADMIN_SECURITY_PROFILES) else None
