"""Which of our records have a history page, who sees it, and what belongs to it."""

from __future__ import annotations

from django.db.models import CharField, Model
from django.db.models.functions import Cast
from django.urls import reverse

from connections.models import Binding, Connection, ConnectionAuthorization, Integration
from connections.services import integrations
from connections.services.creating import AUDITED
from vaultadmin.models import Membership, Task
from vaultadmin.registries import Recorded, by_number, record_kind


def register() -> None:
    """Offer the histories of this app."""
    record_kind(
        Recorded(
            kind="connection",
            model=Connection,
            find=_connection,
            url=lambda row: reverse("connections:record", args=[row.vault_id, row.api_name]),
            fields=(*AUDITED, "created_at", "modified_at"),
            parts=_parts_of_connection,
        )
    )
    record_kind(
        Recorded(
            kind="authorization",
            model=ConnectionAuthorization,
            find=_authorization,
            url=lambda row: reverse("connections:authorization", args=[row.vault_id, row.pk]),
            fields=("type", "name", "username", "client_id", "created_at", "modified_at"),
        )
    )
    record_kind(
        Recorded(
            kind="integration",
            model=Integration,
            find=_integration,
            url=_integration_url,
            fields=(*integrations.AUDITED, "created_at", "modified_at"),
            parts=_parts_of_integration,
        )
    )


def _connection(member: Membership, key: str) -> Model | None:
    return by_number(Connection.objects.visible_to(member), key)


def _authorization(member: Membership, key: str) -> Model | None:
    return by_number(ConnectionAuthorization.objects.visible_to(member), key)


def _integration(member: Membership, key: str) -> Model | None:
    return by_number(Integration.objects.visible_to(member).select_related("connection"), key)


def _integration_url(row: Integration) -> str:
    return reverse("connections:integration", args=[row.vault_id, row.connection.api_name, row.pk])


def _parts_of_integration(integration: Integration) -> list[Model]:
    return list(integration.points.all())


def _parts_of_connection(connection: Connection) -> list[Model]:
    """Its integrations and Client IDs, and the approval tasks of its exchanges: who was asked and who decided."""
    bindings = Binding.objects.filter(connection=connection).annotate(key=Cast("pk", CharField())).values("key")
    tasks = Task.objects.filter(subject_type=Binding._meta.label_lower, subject_id__in=bindings)
    return [*connection.integrations.all(), *connection.clients.all(), *tasks]
