"""Connections as the list and the record page show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Upper

from connections.constants import RECORD_ID_PREFIX, BindingState, ConnectionState, ConnectionType
from connections.models import Binding, Connection, ConnectionAlias, IssuedFile
from connections.models.binding import OPEN_STATES
from vaultadmin.models import Installation, Membership
from vaultadmin.query import PAGE, as_key
from vaultadmin.together import Asking

SORTS = {"name": "name_key", "changed": "modified_at"}


@dataclass(frozen=True)
class Page:
    """One page of rows in the asked order, and the key of the next."""

    rows: Sequence[Connection]
    next_key: str


def connections(member: Membership, *, search: str = "", type_: str = "", state: str = "") -> QuerySet[Connection]:
    """Those the member may see and asked for; senseless filters fall away."""
    rows: QuerySet[Connection] = Connection.objects.visible_to(member)
    if search := search.replace("\x00", "").strip()[:100]:
        rows = rows.filter(_matches(search))
    if type_ in ConnectionType.values:
        rows = rows.filter(type=type_)
    if state in ConnectionState.values:
        rows = rows.filter(state=state)
    return rows


def page(rows: QuerySet[Connection], *, sort: str, after: str) -> Page:
    """The page that follows the record with the id `after`, sorted by one of SORTS ("-" turns it round)."""
    column = SORTS.get(sort.lstrip("-"), "name_key")
    # People expect "eCOA" beside "EDC"; the index is on the same expression.
    rows = rows.annotate(name_key=Upper("name"))
    descending = sort.startswith("-")
    order = [f"-{column}", "-pk"] if descending else [column, "pk"]
    key = as_key(after)
    last = rows.filter(pk=key).first() if key is not None else None
    if last is not None:
        way, value = "lt" if descending else "gt", getattr(last, column)
        rows = rows.filter(Q(**{f"{column}__{way}": value}) | Q(**{column: value, f"pk__{way}": last.pk}))
    found = list(rows.order_by(*order)[: PAGE + 1])
    return Page(found[:PAGE], str(found[PAGE - 1].pk) if len(found) > PAGE else "")


def find(member: Membership, api_name: str) -> Connection | None:
    """The connection under this API name, with what its page needs."""
    rows = Connection.objects.visible_to(member).select_related(
        "vault", "authorized_user__user", "authorization", "signing_certificate"
    )
    found: Connection | None = rows.filter(api_name=api_name).first()
    return found


def renamed_to(member: Membership, api_name: str) -> str:
    """The present API name of a connection that once had this one; empty when there is none."""
    visible = Connection.objects.visible_to(member)
    alias = ConnectionAlias.objects.filter(vault=member.vault_id, api_name=api_name, connection__in=visible)
    return alias.values_list("connection__api_name", flat=True).first() or ""


def open_binding(connection: Connection) -> Binding | None:
    """The exchange being agreed on, if one is."""
    if connection.request_runs is False:
        return None
    rows = Binding.objects.open().filter(connection=connection)
    found: Binding | None = rows.select_related("requested_by__user", "local_decided_by__user").first()
    return found


def agreed_binding(connection: Connection) -> Binding | None:
    """The exchange in force, if one is."""
    found: Binding | None = Binding.objects.in_force().filter(connection=connection).first()
    return found


def peer_address(connection: Connection) -> Asking[str]:
    """Where messages for the other Vault go when it belongs to another installation; empty for a neighbour."""
    agreed = connection.bindings.filter(Q(state__in=OPEN_STATES) | Q(state=BindingState.IN_FORCE))
    elsewhere = agreed.exclude(peer_installation_id__in=Installation.objects.values("pk"))
    (found,) = yield (elsewhere.values_list("peer_url", flat=True)[:1],)
    return next(iter(found), "")


def newest_file(connection: Connection) -> IssuedFile | None:
    """The connection file given out last."""
    return connection.issued_files.select_related("issued_by__user", "revoked_by__user").order_by("-generation").first()


def counts_by_state(member: Membership) -> Asking[dict[tuple[str, bool], int]]:
    """How many connections the member sees, by state and whether they are standard, system-managed ones."""
    rows = Connection.objects.visible_to(member).order_by().values_list("state", "system_managed")
    (found,) = yield (rows.annotate(number=Count("pk")),)
    return {(state, standard): number for state, standard, number in found}


def _matches(search: str) -> Q:
    found = Q(name__icontains=search) | Q(api_name__icontains=search) | Q(remote_vault_name__icontains=search)
    digits = search.upper().removeprefix(RECORD_ID_PREFIX)
    if (number := as_key(digits)) is not None:
        by_number: dict[str, Any] = {"pk" if digits != search else "remote_vault_id": number}
        found |= Q(**by_number)
    return found
