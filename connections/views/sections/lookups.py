"""Reference Lookups: which values of the other vault stand for which of ours."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.urls import reverse

from connections.models import Connection
from connections.selectors import lookups as selectors
from connections.selectors.record import Record
from connections.services import lookups
from connections.views.sections.base import Section
from vaultadmin.access import MemberRequest
from vaultadmin.together import Asking


def _lookups(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    connection = record.connection
    refusal = lookups.refusal(connection)
    sets = [] if refusal else (yield from selectors.sets(connection))
    return {
        "lookup_sets": [
            {**row, "url": _url(connection, "lookups", type=row["type"], name=row["name"])} for row in sets
        ],
        "lookups_refusal": refusal,
        "lookups_add_url": _url(connection, "lookup-add") if lookups.may_manage(request.member) else "",
        "lookups_url": _url(connection, "lookups"),
    }


def _url(connection: Connection, route: str, **query: str) -> str:
    values = QueryDict(mutable=True)
    values.update({"connection": connection.api_name} | query)
    return f"{reverse(f'connections:{route}', args=[connection.vault_id])}?{values.urlencode()}"


LOOKUPS = Section("lookups", "Reference Lookups", "connections/_lookups.html", _lookups)
