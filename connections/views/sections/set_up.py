"""Set-up: what a standard connection still needs, instead of a blank form (ux.md B9), and its documented limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connections.constants import ConnectionState
from connections.integrations import catalogue
from connections.models import Connection, Integration
from connections.selectors import integrations, lookups
from connections.selectors.record import Record
from connections.views.common import record_url
from connections.views.sections.base import Section
from vaultadmin.access import MemberRequest
from vaultadmin.applications import Application
from vaultadmin.together import Asking, rows_of, together

LIMITATIONS = (
    "If a user deletes a record that either side of the connection was using, Vault ceases to update connected "
    "records with no notification.",
    "If a user manually updates one of the ID fields on a record used by either side of the connection, Vault may "
    "fail to process Spark messages and update connected records.",
    "If a configuration change on either side may impact the integration, such as changes to fields or picklists, "
    "Vault may fail to process Spark messages and update connected records.",
)


@dataclass(frozen=True)
class Step:
    """One line of the checklist."""

    title: str
    done: bool
    text: str
    url: str


def is_standard(connection: Connection) -> bool:
    """Was the record made from the catalogue?"""
    return bool(connection.standard_key)


def _set_up(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    connection = record.connection
    asked: list[Asking[Any]] = [rows_of(integrations.of_connection(connection)), lookups.sets(connection)]
    found, sets = yield from together(asked)
    steps = [_user(connection), _peer(connection), _integrations(connection, found), _lookups(connection, sets)]
    return {"steps": steps, "steps_done": sum(step.done for step in steps), "limitations": LIMITATIONS}


def _user(connection: Connection) -> Step:
    user = connection.authorized_user
    able = user is not None and user.is_active and user.user.is_active
    text = f"The other Vault acts here as {user}." if able else "Choose as whom the other Vault acts here."
    return Step("Authorized Connection User", able, text, record_url(connection, "edit-details"))


def _peer(connection: Connection) -> Step:
    entry = catalogue.find(connection.standard_key)
    far = Application(entry.other_side(connection.vault.application).application).label if entry else "other"
    done = connection.state == ConnectionState.ACTIVE
    text = (
        f"Established with {connection.remote_vault_name or connection.remote_vault_id}."
        if done
        else f"Exchange a connection file with the {far} Vault: download it on one side, upload it on the other."
    )
    return Step(f"Connected with a {far} Vault", done, text, f"{record_url(connection)}#workflow")


def _integrations(connection: Connection, found: Sequence[Integration]) -> Step:
    on = sum(row.is_active for row in found)
    text = f"{on} of {len(found)} are Active. Switch on what the two Vaults are to exchange."
    return Step("Integrations switched on", on > 0, text, f"{record_url(connection)}#integrations")


def _lookups(connection: Connection, sets: Sequence[dict[str, Any]]) -> Step:
    count = sum(row["number"] for row in sets)
    text = (
        f"{count} value{'' if count == 1 else 's'} translated."
        if count
        else "Add them where the two Vaults name the same value differently, such as countries."
    )
    return Step("Reference Lookups", count > 0, text, f"{record_url(connection)}#lookups")


SET_UP = Section("set-up", "Set-up", "connections/_set_up.html", _set_up, is_standard)
