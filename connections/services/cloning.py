"""Copy what belongs to a connection into its counterpart in a sandbox. Stats are never copied."""

from __future__ import annotations

from datetime import datetime

from connections.models import Connection, Integration, IntegrationPoint, ReferenceLookup

_BATCH = 1000


def clone_integrations(source: Connection, target: Connection, *, now: datetime) -> int:
    """Give the target the integrations and points of the source, statuses included; how many integrations.

    Runs in the caller's transaction, which also records it. What the target had before is replaced.
    """
    target.integrations.all().delete()
    originals = list(source.integrations.prefetch_related("points").order_by("pk"))
    copies = Integration.objects.bulk_create(
        [
            Integration(
                vault_id=target.vault_id,
                connection=target,
                name=row.name,
                api_name=row.api_name,
                status=row.status,
                description=row.description,
                system_managed=row.system_managed,
                standard_key=row.standard_key,
                created_at=now,
                modified_at=now,
            )
            for row in originals
        ]
    )
    IntegrationPoint.objects.bulk_create(
        [
            IntegrationPoint(
                vault_id=target.vault_id,
                integration=copied,
                type=point.type,
                name=point.name,
                api_name=point.api_name,
                status=point.status,
                description=point.description,
                system_managed=point.system_managed,
                created_at=now,
                modified_at=now,
            )
            for row, copied in zip(originals, copies, strict=True)
            for point in row.points.all()
        ],
        batch_size=_BATCH,
    )
    return len(copies)


def clone_lookups(source: Connection, target: Connection, *, now: datetime) -> int:
    """Give the target the reference lookups of the source, statuses included; how many rows.

    Runs in the caller's transaction, which also records it. What the target had before is replaced.
    """
    target.reference_lookups.all().delete()
    copies = [
        ReferenceLookup(
            vault_id=target.vault_id,
            connection=target,
            type=row.type,
            name=row.name,
            target_object=row.target_object,
            target_key_field=row.target_key_field,
            source_key=row.source_key,
            target_key=row.target_key,
            status=row.status,
            created_at=now,
            modified_at=now,
        )
        for row in source.reference_lookups.order_by("pk").iterator(chunk_size=_BATCH)
    ]
    return len(ReferenceLookup.objects.bulk_create(copies, batch_size=_BATCH))
