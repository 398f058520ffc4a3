"""Which of our records have a history page, who sees it, and what belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import CharField, Model, QuerySet
from django.db.models.functions import Cast
from django.urls import reverse

from connections.models import (
    AlertRule,
    Binding,
    Connection,
    ConnectionAuthorization,
    ConnectionClient,
    Integration,
    IntegrationPoint,
    Queue,
    ReferenceLookup,
    SigningCertificate,
    VaultToken,
)
from connections.services import tokens
from connections.services.creating import AUDITED
from connections.services.messages import alerts, queues
from connections.services.signing import certificates
from vaultadmin.models import Membership, Signature, Task
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Recorded, by_number, record_kind

_DATES = ("created_at", "modified_at")
_PART_FIELDS: dict[type[Model], tuple[str, ...]] = {
    ConnectionClient: ("connection", "name", "client_id", "status", *_DATES),
    Integration: ("connection", "name", "api_name", "status", "description", "system_managed", *_DATES),
    ReferenceLookup: (
        "connection",
        "type",
        "name",
        "target_object",
        "target_key_field",
        "source_key",
        "target_key",
        "status",
        *_DATES,
    ),
}


def register() -> None:
    """Offer the histories of this app."""
    record_kind(
        Recorded(
            kind="connection",
            model=Connection,
            find=lambda member, key: by_number(Connection.objects.visible_to(member), key),
            url=_record_url,
            fields=(*AUDITED, *_DATES),
            parts=_parts_of_connection,
        )
    )
    record_kind(
        Recorded(
            kind="authorization",
            model=ConnectionAuthorization,
            find=lambda member, key: by_number(ConnectionAuthorization.objects.visible_to(member), key),
            url=lambda member, row: reverse("connections:authorization", args=[member.vault_id, row.pk]),
            fields=("type", "name", "status", "username", "client_id", *_DATES),
        )
    )
    record_kind(
        Recorded(
            kind="token",
            model=VaultToken,
            find=lambda member, key: by_number(VaultToken.objects.visible_to(member), key),
            url=lambda member, row: reverse("connections:token", args=[member.vault_id, row.pk]),
            fields=(*tokens.AUDITED, *_DATES),
        )
    )
    record_kind(
        Recorded(
            kind="queue",
            model=Queue,
            find=lambda member, key: by_number(Queue.objects.visible_to(member), key),
            url=lambda member, row: reverse("connections:queue", args=[member.vault_id, row.name]),
            fields=(*queues.AUDITED, *_DATES),
        )
    )
    record_kind(
        Recorded(
            kind="signing-certificate",
            model=SigningCertificate,
            find=_certificate,
            url=lambda member, row: reverse("connections:certificate", args=[member.vault_id, row.certificate_id]),
            fields=(*certificates.AUDITED, "published_at", "retired_at", "retired_reason"),
            installation_wide=True,
        )
    )
    record_kind(
        Recorded(
            kind="alert-rule",
            model=AlertRule,
            find=lambda member, key: by_number(AlertRule.objects.visible_to(member), key),
            url=lambda member, row: reverse("connections:alert-rule", args=[member.vault_id, row.pk]),
            fields=(*alerts.AUDITED, "watched_since", *_DATES),
        )
    )
    for model, fields in _PART_FIELDS.items():
        record_kind(
            Recorded(
                kind=str(model._meta.verbose_name).replace(" ", "-"),
                model=model,
                find=_finder(model),
                url=_part_url,
                fields=fields,
                parts=lambda row: list(row.points.all()) if isinstance(row, Integration) else [],
            )
        )


def _certificate(member: Membership, key: str) -> Model | None:
    """Every vault signs with the same ones, so whoever reads connections of any vault reads their history."""
    return by_number(SigningCertificate.objects.all(), key) if can(member, Permission.CONNECTION_READ) else None


def _finder(model: type[Model]) -> Callable[[Membership, str], Model | None]:
    """Parts of a connection are seen by whoever sees the connection."""

    def find(member: Membership, key: str) -> Model | None:
        rows: Any = model._default_manager.select_related("connection")
        return by_number(rows.filter(connection__in=Connection.objects.visible_to(member)), key)

    return find


def _record_url(member: Membership, connection: Connection) -> str:
    return reverse("connections:record", args=[member.vault_id, connection.api_name])


def _part_url(member: Membership, row: Any) -> str:
    """A part's own page, or its connection's where it has none."""
    if isinstance(row, Integration):
        return reverse("connections:integration", args=[member.vault_id, row.connection.api_name, row.pk])
    if isinstance(row, ReferenceLookup):
        return reverse("connections:lookup", args=[member.vault_id, row.pk])
    return _record_url(member, row.connection)


def _parts_of_connection(connection: Connection) -> Sequence[Model | QuerySet[Any]]:
    """What the record page shows besides the record, and the approval tasks and signatures of its exchanges."""
    bindings = Binding.objects.filter(connection=connection).annotate(key=Cast("pk", CharField())).values("key")
    about: dict[str, Any] = {"subject_type": Binding._meta.label_lower, "subject_id__in": bindings}
    return [
        Task.objects.filter(**about),
        Signature.objects.filter(vault_number=connection.vault_id, **about),
        connection.clients.all(),
        connection.integrations.all(),
        IntegrationPoint.objects.filter(integration__connection=connection),
        connection.reference_lookups.all(),
    ]
