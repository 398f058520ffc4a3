"""A connection with what its pages tell of it: the exchanges that matter and the file given out last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from connections.constants import BindingState
from connections.models import Binding, Connection, IssuedFile
from connections.models.binding import OPEN_STATES
from vaultadmin.models import Membership, VaultSettings
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
    rows: QuerySet[Connection] = Connection.objects.visible_to(member).filter(api_name=api_name)
    whole = ("authorized_user__user", "authorization", "signing_certificate")
    settings = VaultSettings.objects.filter(vault=member.vault_id)
    found, kept, bindings, files = yield rows.select_related(*whole), settings, *_about(rows)
    if not found:
        return None
    found[0].vault = member.vault
    member.vault.settings_read = next(iter(kept), VaultSettings(vault=member.vault))
    return _made(found[0], bindings, files)


def of(connection: Connection) -> Asking[Record]:
    """The same for a connection that was found."""
    bindings, files = yield _about(Connection.objects.filter(pk=connection.pk))
    return _made(connection, bindings, files)


def _about(rows: QuerySet[Connection]) -> tuple[QuerySet[Binding], QuerySet[IssuedFile]]:
    keys = rows.order_by().values("pk")
    all_of_it = Binding.objects.filter(connection__in=keys)
    newest = all_of_it.order_by("-requested_at", "-pk").values("pk")[:SHOWN]
    bindings = all_of_it.filter(Q(pk__in=newest) | Q(state__in=[*OPEN_STATES, BindingState.IN_FORCE]))
    files = IssuedFile.objects.filter(connection__in=keys).select_related("issued_by__user", "revoked_by__user")
    return (
        bindings.select_related("requested_by__user", "local_decided_by__user", "local_signature"),
        files.order_by("-generation")[:1],
    )


def _made(connection: Connection, bindings: Sequence[Binding], files: Sequence[IssuedFile]) -> Record:
    for binding in bindings:
        binding.connection = connection
    connection.request_runs = any(row.is_open for row in bindings)
    return Record(connection, bindings, next(iter(files), None))
