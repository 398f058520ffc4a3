"""Which of our records have a history page and who sees it."""

from __future__ import annotations

from django.db.models import Model
from django.urls import reverse

from ecoa.models import Participant, ServiceStudy, ServiceSystem, Site, StudyMapping
from vaultadmin.models import Membership
from vaultadmin.registries import Recorded, by_number, record_kind


def register() -> None:
    """Offer the histories of this app."""
    record_kind(
        Recorded(
            kind="participant",
            model=Participant,
            find=_participant,
            url=lambda member, row: reverse("ecoa:participant", args=[member.vault_id, row.pk]),
            fields=(
                "participant_id",
                "internal_id",
                "my_veeva_participant_id",
                "site",
                "status",
                "source",
                "source_name",
                "version",
                "synced_version",
                "created_at",
                "changed_at",
                "synced_at",
            ),
        )
    )
    record_kind(
        Recorded(
            kind="study-mapping",
            model=StudyMapping,
            find=_mapping,
            url=lambda member, row: reverse("ecoa:mapping", args=[member.vault_id, row.pk]),
            fields=(
                "name",
                "connection",
                "tenant_id",
                "external_study_id",
                "api_version",
                "fixed_region",
                "read_back",
                "max_calls",
                "radar_is_on",
                "radar_every_hours",
                "radar_calls_per_hour",
                "schedule_minutes",
                "schedule_from",
                "schedule_until",
                "schedule_days",
                "schedule_zone",
                "schedule_paused",
                "is_active",
                "created_at",
            ),
            parts=lambda mapping: list(Site.objects.filter(mapping=mapping)),
        )
    )
    record_kind(
        Recorded(
            kind="ecoa-system",
            model=ServiceSystem,
            find=lambda member, key: by_number(ServiceSystem.objects.visible_to(member), key),
            url=lambda member, row: reverse("ecoa:service-system", args=[member.vault_id, row.pk]),
            fields=("external_id", "integration_enabled", "allowed_addresses", "created_at"),
        )
    )
    record_kind(
        Recorded(
            kind="ecoa-study",
            model=ServiceStudy,
            find=lambda member, key: by_number(ServiceStudy.objects.visible_to(member), key),
            url=lambda member, row: reverse("ecoa:service-study", args=[member.vault_id, row.pk]),
            fields=("external_id", "internal_id", "integration_enabled"),
        )
    )


def _participant(member: Membership, key: str) -> Model | None:
    return by_number(Participant.objects.visible_to(member), key)


def _mapping(member: Membership, key: str) -> Model | None:
    return by_number(StudyMapping.objects.visible_to(member), key)
