"""Integrations as pages show them and as senders ask for them."""

from __future__ import annotations

from django.db.models import Count, QuerySet

from connections.models import Connection, Integration, IntegrationPoint
from vaultadmin.models import Membership


def of_connection(connection: Connection) -> QuerySet[Integration]:
    """All of a connection by name, with `point_count`."""
    return connection.integrations.annotate(point_count=Count("points")).order_by("name", "pk")


def active(connection: Connection) -> QuerySet[Integration]:
    """Those of a connection that are switched on; what a sender checks before it queues anything."""
    return Integration.objects.active().filter(connection=connection)


def is_active(connection: Connection, api_name: str) -> bool:
    """Is the integration with this Integration API Name there and switched on?"""
    return active(connection).filter(api_name=api_name).exists()


def find(member: Membership, connection: Connection, number: int) -> Integration | None:
    """One integration of a connection."""
    rows = Integration.objects.visible_to(member).select_related("connection", "vault")
    return rows.filter(connection=connection, pk=number).first()


def find_point(integration: Integration, number: int) -> IntegrationPoint | None:
    """One point of an integration."""
    return integration.points.select_related("integration__connection", "vault").filter(pk=number).first()


def homes(member: Membership) -> QuerySet[Connection]:
    """The connections a copy of an integration may belong to."""
    rows: QuerySet[Connection] = Connection.objects.visible_to(member).vault_to_vault()
    return rows.order_by("name", "pk")
