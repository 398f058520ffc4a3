"""Standard connections in a vault: made and kept up to date from the catalogue we ship (veeva-core section 2.6).

What is ours follows the catalogue: names, API names, integrations and points. What administrators decide stays theirs:
status, Authorized Connection User, description, and which vault a record is connected with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from connections import rules
from connections.connection_file import ConnectionFile
from connections.constants import ConnectionState, ConnectionType, IntegrationPointType, RecordStatus
from connections.integrations import catalogue
from connections.integrations.catalogue import Point, Side, StandardConnection
from connections.models import Connection, Integration, IntegrationPoint
from connections.services import creating, names
from connections.services.refusals import Refused
from connections.services.signing import certificates
from vaultadmin import audit
from vaultadmin.applications import Application
from vaultadmin.models import Membership, Vault
from vaultadmin.permissions import Permission, ensure
from vaultadmin.services import system_accounts

CATALOGUE = audit.System("Standard connections")
_REASON = "Standard connection"


@dataclass(frozen=True)
class Offer:
    """A standard connection a vault may have one more of: the entry, this vault's side, and which number it gets."""

    entry: StandardConnection
    side: Side
    instance: int

    @property
    def label(self) -> str:
        """What the record will be called."""
        return _label(self.side.label, self.instance)


@dataclass
class Loaded:
    """What a load made and renamed, by API name."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def fit_out(vault: Vault, by: audit.Actor, now: datetime) -> None:
    """For a vault being made: its standard connections, unless set-up has not come that far and does it then."""
    try:
        certificates.current()
    except certificates.NoSigningCertificate:
        return
    load(vault, by=by, now=now)


def load(vault: Vault, *, by: audit.Actor, now: datetime) -> Loaded:
    """Make the vault's standard connections as the catalogue has them now; a second run writes nothing."""
    load_ = _Load(vault, by, now)
    with transaction.atomic():
        # One load of a vault at a time; the second finds what the first made.
        Vault.objects.select_for_update().get(pk=vault.pk)
        held = Connection.objects.filter(vault=vault).exclude(standard_key="")
        # All of it at once: this runs for every vault at every start, and nearly always finds nothing to do.
        rows = held.prefetch_related("integrations__points")
        present = {(row.standard_key, row.standard_instance): row for row in rows}
        for entry, side in _mine(vault):
            for instance in sorted({1, *(number for key, number in present if key == entry.key)}):
                load_.put(entry, side, instance, present.get((entry.key, instance)))
    return load_.done


def offers(vault: Vault) -> list[Offer]:
    """What can be added to this vault now: standard connections it may have more of than it has."""
    held = Connection.objects.filter(vault=vault).exclude(standard_key="")
    present = set(held.values_list("standard_key", "standard_instance"))
    found = []
    for entry, side in _mine(vault):
        free = [number for number in range(1, side.instances + 1) if (entry.key, number) not in present]
        if free:
            found.append(Offer(entry, side, free[0]))
    return found


def add(
    *, vault: Vault, key: str, by: Membership | audit.System, now: datetime, instance: int | None = None
) -> Connection:
    """One more of a standard connection, where the catalogue allows several; refuses beyond that number.

    `instance` is the number the person saw on offer: when somebody has taken it since, that is said.
    """
    if isinstance(by, Membership):
        ensure(by, Permission.CONNECTION_CREATE)
    with transaction.atomic():
        Vault.objects.select_for_update().get(pk=vault.pk)
        offer = next((offer for offer in offers(vault) if offer.entry.key == key), None)
        if offer is None:
            raise Refused("This Vault has as many of this standard connection as it may have.", field="key")
        if instance not in (None, offer.instance):
            raise Refused("Somebody has added this one just now; look at the list again.", field="key")
        return _Load(vault, by, now).create(offer.entry, offer.side, offer.instance)


def pairing_refusal(connection: Connection, file: ConnectionFile) -> str:
    """Why this record cannot be connected with the file's; empty when it can or is no standard connection.

    The two sides of a standard connection may have different API names, so the key and the application of the far
    side decide.
    """
    entry = catalogue.find(connection.standard_key) if connection.standard_key else None
    if entry is None:
        return ""
    if file.connection.standard_key != entry.key:
        return f"This record is the standard connection “{connection}”; the file comes from a different connection."
    wanted = Application(entry.other_side(connection.vault.application).application).label
    if file.source.application != wanted:
        return f"This connection leads to a {wanted} Vault; the file comes from {file.source.application or 'another'}."
    return ""


class _Load:
    """One load of one vault: who does it, when, and what came of it."""

    def __init__(self, vault: Vault, by: audit.Actor, now: datetime) -> None:
        self.vault, self.by, self.now = vault, by, now
        self.done = Loaded()

    def put(self, entry: StandardConnection, side: Side, instance: int, connection: Connection | None) -> None:
        """Bring one record to what the catalogue says, making it if it is missing."""
        if connection is None:
            self.create(entry, side, instance)
            return
        self._rename(connection, _label(side.label, instance), "connection.edited")
        self._put_integrations(connection, entry)

    def create(self, entry: StandardConnection, side: Side, instance: int) -> Connection:
        """The record with its integrations and points: Pending until it is established."""
        connection: Connection = Connection(
            vault=self.vault,
            type=ConnectionType.VAULT_TO_VAULT,
            state=ConnectionState.PENDING,
            name=_label(side.label, instance),
            # People may have taken the name before we shipped it; theirs stays, ours gets a number.
            api_name=names.free(self.vault, rules.numbered(side.api_name, instance)),
            description=entry.description,
            authorized_user=system_accounts.application_owner(self.vault, by=self.by),
            system_managed=True,
            standard_key=entry.key,
            standard_instance=instance,
            signing_certificate=certificates.current(),
            created_at=self.now,
            modified_at=self.now,
        )
        creating.add(connection, by=self.by, reason=_REASON)
        self.done.created.append(connection.api_name)
        self._put_integrations(connection, entry)
        return connection

    def _put_integrations(self, connection: Connection, entry: StandardConnection) -> None:
        held = {row.standard_key: row for row in connection.integrations.all() if row.system_managed}
        for item in entry.integrations:
            row = held.get(item.api_name)
            if row is None:
                row = self._create_integration(connection, item)
            self._rename(row, item.label, "integration.edited")
            self._put_points(row, item.points_of(self.vault.application), connection.standard_instance)

    def _create_integration(self, connection: Connection, item: catalogue.Integration) -> Integration:
        row = Integration(
            vault=self.vault,
            connection=connection,
            name=item.label,
            api_name=rules.numbered(item.api_name, connection.standard_instance),
            status=RecordStatus.ACTIVE if item.active else RecordStatus.INACTIVE,
            system_managed=True,
            standard_key=item.api_name,
            created_at=self.now,
            modified_at=self.now,
        )
        row.save(force_insert=True)
        self._record_created("integration.created", [row], ("name", "api_name", "status", "system_managed"))
        return row

    def _put_points(self, integration: Integration, points: tuple[Point, ...], instance: int) -> None:
        present = {row.api_name: row for row in integration.points.all()}
        missing = []
        for point in points:
            api_name = rules.numbered(point.api_name, instance)
            if (known := present.get(api_name)) is not None:
                self._rename(known, point.label, "integration_point.edited")
            else:
                missing.append(self._new_point(integration, point, api_name))
        if missing:
            IntegrationPoint.objects.bulk_create(missing)
            self._record_created("integration_point.created", missing, ("name", "api_name", "type", "system_managed"))

    def _new_point(self, integration: Integration, point: Point, api_name: str) -> IntegrationPoint:
        return IntegrationPoint(
            vault=self.vault,
            integration=integration,
            type=IntegrationPointType.SENDER if point.outbound else IntegrationPointType.RECEIVER,
            name=point.label,
            api_name=api_name,
            system_managed=True,
            created_at=self.now,
            modified_at=self.now,
        )

    def _record_created(
        self, event: str, rows: Sequence[Integration | IntegrationPoint], fields: tuple[str, ...]
    ) -> None:
        self.done.created += [row.api_name for row in rows]
        entries = [
            audit.Entry(event, row._meta.label_lower, str(row.pk), str(row), audit.created(row, fields), _REASON)
            for row in rows
        ]
        audit.record_many(vault=self.vault, by=self.by, entries=entries)

    def _rename(self, row: Connection | Integration | IntegrationPoint, label: str, event: str) -> None:
        """Labels follow the catalogue: products are renamed between releases, API names never."""
        if row.name == label:
            return
        before = audit.snapshot(row, ["name"])
        row.name, row.modified_at = label, self.now
        row.save(update_fields=["name", "modified_at"])
        self.done.changed.append(row.api_name)
        changes = audit.diff(before, row, ["name"])
        audit.record(vault=self.vault, by=self.by, event=event, subject=row, changes=changes, reason=_REASON)


def _mine(vault: Vault) -> list[tuple[StandardConnection, Side]]:
    entries = catalogue.for_application(vault.application)
    return [(entry, side) for entry in entries if (side := entry.side_of(vault.application)) is not None]


def _label(label: str, instance: int) -> str:
    return label if instance == 1 else f"{label} {instance}"
