"""A connection with what its pages tell of it: the exchanges that matter and the file given out last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from connections.constants import BindingState
from connections.models import Binding, Connection, IssuedFile
from connections.models.binding import OPEN_STATES
from vaultadmin.models import Membership, VaultSettings
from vaultadmin.standing import standing, standing_for
from vaultadmin.together import Asking

# So many exchanges the timeline tells of.
SHOWN = 5


@dataclass(frozen=True)
class Record:
    """`bindings` are the newest exchanges, newest first, and the ones being agreed on or in force however old."""

    connection: Connection
    bindings: Sequence[Binding] = ()
    issued: IssuedFile | None = None

    @property
    def open(self) -> Binding | None:
        """The exchange being agreed on, if one is."""
        return next((row for row in self.bindings if row.is_open), None)

    @property
    def in_force(self) -> Binding | None:
        """The exchange messages travel on, if one is."""
        return next((row for row in self.bindings if row.state == BindingState.IN_FORCE), None)

    @property
    def last(self) -> Binding | None:
        """The newest exchange, whatever became of it."""
        return next(iter(self.bindings), None)

    def has_open_file(self, now: datetime) -> bool:
        """Is a connection file out that works?"""
        return self.issued is not None and self.issued.is_open(now)


def find(member: Membership, api_name: str) -> Asking[Record | None]:
    """The connection under this API name, if the member may see it."""
    found, settings, bindings, files = yield (
        _found(member, api_name=api_name),
        _settings(vault=member.vault_id),
        _bindings(member, api_name=api_name),
        _newest_file(member, api_name=api_name),
    )
    if not found:
        return None
    connection: Connection = found[0]
    connection.vault = member.vault
    connection.request_runs = any(row.is_open for row in bindings)
    member.vault.settings_read = next(iter(settings), VaultSettings(vault=member.vault))
    for binding in bindings:
        binding.connection = connection
    return Record(connection, bindings, next(iter(files), None))


@standing
def _settings(*, vault: Any) -> QuerySet[VaultSettings]:
    return VaultSettings.objects.filter(vault=vault)


@standing_for
def _found(member: Membership, *, api_name: Any) -> QuerySet[Connection]:
    rows: QuerySet[Connection] = Connection.objects.visible_to(member).filter(api_name=api_name)
    return rows.select_related("authorized_user__user", "authorization", "signing_certificate")


@standing_for
def _bindings(member: Membership, *, api_name: Any) -> QuerySet[Binding]:
    keys = Connection.objects.visible_to(member).filter(api_name=api_name).order_by().values("pk")
    all_of_it = Binding.objects.filter(connection__in=keys)
    newest = all_of_it.order_by("-requested_at", "-pk").values("pk")[:SHOWN]
    rows: QuerySet[Binding] = all_of_it.filter(Q(pk__in=newest) | Q(state__in=[*OPEN_STATES, BindingState.IN_FORCE]))
    return rows.select_related("requested_by__user", "local_decided_by__user", "local_signature")


@standing_for
def _newest_file(member: Membership, *, api_name: Any) -> QuerySet[IssuedFile]:
    keys = Connection.objects.visible_to(member).filter(api_name=api_name).order_by().values("pk")
    rows = IssuedFile.objects.filter(connection__in=keys).select_related("issued_by__user", "revoked_by__user")
    return rows.order_by("-generation")[:1]
