"""The Actions menu of the record page: what can be done, and what cannot with the reason (ux.md A4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from connections.constants import ConnectionState
from connections.models import Connection
from connections.selectors.record import Record
from connections.services import deleting, probing, switching
from connections.services.handshake import establishing, files, parting, withdrawing
from connections.services.messages import trial_message
from connections.views.common import menu_entry, record_url
from connections.views.sections.base import always, between_vaults, external
from vaultadmin import clock
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission
from vaultadmin.together import Asking, known, together


@dataclass(frozen=True)
class Action:
    """One entry. `refusal` says in one sentence why it is not possible now; empty when it is."""

    label: str
    route: str
    icon: str
    refusal: Callable[[Record, Membership], Asking[str]]
    needs: Permission = Permission.MANAGE_CONNECTIONS
    shown: Callable[[Connection], bool] = always
    danger: bool = False


def _download(record: Record, member: Membership) -> Asking[str]:
    return known(files.download_refusal(record.connection))


def _connect(record: Record, member: Membership) -> Asking[str]:
    return known(establishing.connect_refusal(record.connection))


def _withdraw(record: Record, member: Membership) -> Asking[str]:
    return known(withdrawing.withdraw_refusal(record.open, member))


def _revoke(record: Record, member: Membership) -> Asking[str]:
    return known("" if record.has_open_file(clock.now()) else "No connection file is out.")


def _reset(record: Record, member: Membership) -> Asking[str]:
    return known(parting.reset_refusal(record.connection))


def _inactivate(record: Record, member: Membership) -> Asking[str]:
    return known(switching.inactivate_refusal(record.connection))


def _activate(record: Record, member: Membership) -> Asking[str]:
    return known(switching.activate_refusal(record.connection))


def _delete(record: Record, member: Membership) -> Asking[str]:
    return deleting.delete_refusal(record.connection)


def _is_inactive(connection: Connection) -> bool:
    return connection.state == ConnectionState.INACTIVE


def _is_not_inactive(connection: Connection) -> bool:
    return not _is_inactive(connection)


def _test(record: Record, member: Membership) -> Asking[str]:
    return known(probing.refusal_of(record.connection))


def _send_test(record: Record, member: Membership) -> Asking[str]:
    return trial_message.refusal(record.connection)


def _always_possible(record: Record, member: Membership) -> Asking[str]:
    return known("")


ACTIONS: tuple[Action, ...] = (
    Action("Download Connection File", "download", "download", _download),
    Action("Connect from File", "connect-record", "file-import", _connect),
    Action("Manage Signing Certificate", "signing-certificate", "certificate", _always_possible),
    Action("Reset Connection", "reset", "refresh", _reset, shown=between_vaults),
    Action("Inactivate", "inactivate", "player-pause", _inactivate, shown=_is_not_inactive),
    Action("Activate", "activate", "player-play", _activate, shown=_is_inactive),
    Action("Test connection", "test", "microscope", _test, shown=external),
    Action("Send signed test message", "test-message", "send", _send_test, needs=Permission.MESSAGES_OPERATE),
    Action("Withdraw request", "withdraw", "arrow-back-up", _withdraw, shown=between_vaults, danger=True),
    Action("Revoke connection file", "revoke", "file-x", _revoke, shown=between_vaults, danger=True),
    Action("Delete", "delete", "trash", _delete, needs=Permission.CONNECTION_DELETE, danger=True),
)


def menu(record: Record, member: Membership) -> Asking[list[dict[str, Any]]]:
    """The entries as `components/actions_menu.html` reads them."""
    connection = record.connection
    shown = [action for action in ACTIONS if action.shown(connection)]
    refusals = yield from together([action.refusal(record, member) for action in shown])
    entries = [_entry(*each, connection, member) for each in zip(shown, refusals, strict=True)]
    return [*entries[:-1], _hold(connection, member), entries[-1]]


def _hold(connection: Connection, member: Membership) -> dict[str, Any]:
    """*Hold messages*, which those do who operate them; to release them stands on the banner."""
    url = f"{reverse('connections:messages-hold', args=[member.vault_id])}?connection={connection.api_name}"
    needs = Permission.MESSAGES_OPERATE
    return menu_entry(member, "Hold messages", url, icon="hand-stop", needs=needs, refusal="", danger=True)


def _entry(action: Action, refusal: str, connection: Connection, member: Membership) -> dict[str, Any]:
    return menu_entry(
        member,
        action.label,
        record_url(connection, action.route),
        icon=action.icon,
        needs=action.needs,
        refusal=refusal,
        danger=action.danger,
    )
