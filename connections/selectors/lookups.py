"""Reference lookups as pages show them and as integration rules ask them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from connections.constants import LookupType, RecordStatus
from connections.models import Connection, ReferenceLookup
from vaultadmin.models import Membership
from vaultadmin.together import Asking

FILTERS = ("q", "connection", "type", "name", "status")


@dataclass(frozen=True)
class Target:
    """What a source key stands for: the target key and, for Object lookups, the field that holds it."""

    key: str
    object: str = ""
    key_field: str = ""


def lookup(connection: Connection, type: str, name: str, source_key: str) -> Target | None:
    """What an active row says a source key stands for; compared byte by byte. None when there is none."""
    return lookup_many(connection, type, name, [source_key]).get(source_key)


def lookup_many(connection: Connection, type: str, name: str, source_keys: Collection[str]) -> dict[str, Target]:
    """`lookup` for many source keys in one query; keys without a row are left out."""
    # A NUL is in no key, and PostgreSQL refuses to compare with one.
    keys = [key for key in source_keys if "\x00" not in key]
    rows = ReferenceLookup.objects.active().filter(connection=connection, type=type, name=name, source_key__in=keys)
    return {row.source_key: Target(row.target_key, row.target_object, row.target_key_field) for row in rows}


def lookups(member: Membership, asked: dict[str, str]) -> QuerySet[ReferenceLookup]:
    """Those the member may see and asked for by FILTERS; senseless filters fall away."""
    rows = ReferenceLookup.objects.visible_to(member).select_related("connection")
    asked = {name: value.replace("\x00", "")[:255] for name, value in asked.items()}
    if search := asked.get("q", "").strip()[:100]:
        rows = rows.filter(
            Q(name__icontains=search) | Q(source_key__icontains=search) | Q(target_key__icontains=search)
        )
    if asked.get("connection"):
        rows = rows.filter(connection__api_name=asked["connection"])
    if asked.get("type") in LookupType.values:
        rows = rows.filter(type=asked["type"])
    if asked.get("name"):
        rows = rows.filter(name=asked["name"])
    if asked.get("status") in RecordStatus.values:
        rows = rows.filter(status=asked["status"])
    return rows


def in_order(rows: QuerySet[ReferenceLookup]) -> Iterator[ReferenceLookup]:
    """All rows as a download lists them: connection, type, name, source key."""
    ordered = rows.order_by("connection__api_name", "type", "name", "source_key")
    return ordered.iterator(chunk_size=1000)


def sets(connection: Connection) -> Asking[list[dict[str, Any]]]:
    """The lookups of a connection by type and name, each with how many rows it has and how many translate."""
    rows = connection.reference_lookups.order_by("name", "type").values("type", "name")
    (counted,) = yield (rows.annotate(number=Count("pk"), active=Count("pk", filter=Q(status=RecordStatus.ACTIVE))),)
    return [{**row, "type_label": LookupType(row["type"]).label} for row in counted]


def find(member: Membership, number: int) -> ReferenceLookup | None:
    """One lookup row of the member's vault."""
    rows = ReferenceLookup.objects.visible_to(member).select_related("connection", "vault")
    return rows.filter(pk=number).first()


def homes(member: Membership) -> QuerySet[Connection]:
    """The connections of the vault that lookups can belong to."""
    rows: QuerySet[Connection] = Connection.objects.filter(vault=member.vault_id)
    between: QuerySet[Connection] = rows.vault_to_vault()  # type: ignore[attr-defined]
    return between.order_by("name", "pk")
