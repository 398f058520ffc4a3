"""The Actions menu of the record page: what can be done, and what cannot with the reason (ux.md A4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from connections.constants import ConnectionState
from connections.models import Connection
from connections.selectors import connections as selectors
from connections.services import deleting, probing, switching
from connections.services.handshake import establishing, files, parting, withdrawing
from connections.services.messages import trial_message
from connections.views.common import menu_entry, record_url
from connections.views.sections.base import always, between_vaults, external
from vaultadmin import clock
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission


@dataclass(frozen=True)
class Action:
    """One entry. `refusal` says in one sentence why it is not possible now; empty when it is."""

    label: str
    route: str
    icon: str
    refusal: Callable[[Connection, Membership], str]
    needs: Permission = Permission.MANAGE_CONNECTIONS
    shown: Callable[[Connection], bool] = always
    danger: bool = False


def _download(connection: Connection, member: Membership) -> str:
    return files.download_refusal(connection)


def _connect(connection: Connection, member: Membership) -> str:
    return establishing.connect_refusal(connection)


def _withdraw(connection: Connection, member: Membership) -> str:
    return withdrawing.withdraw_refusal(selectors.open_binding(connection), member)


def _revoke(connection: Connection, member: Membership) -> str:
    issued = selectors.newest_file(connection)
    return "" if issued is not None and issued.is_open(clock.now()) else "No connection file is out."


def _reset(connection: Connection, member: Membership) -> str:
    return parting.reset_refusal(connection)


def _inactivate(connection: Connection, member: Membership) -> str:
    return switching.inactivate_refusal(connection)


def _activate(connection: Connection, member: Membership) -> str:
    return switching.activate_refusal(connection)


def _delete(connection: Connection, member: Membership) -> str:
    return deleting.delete_refusal(connection)


def _is_inactive(connection: Connection) -> bool:
    return connection.state == ConnectionState.INACTIVE


def _is_not_inactive(connection: Connection) -> bool:
    return not _is_inactive(connection)


def _test(connection: Connection, member: Membership) -> str:
    return probing.refusal_of(connection)


def _send_test(connection: Connection, member: Membership) -> str:
    return trial_message.refusal(connection)


def _always_possible(connection: Connection, member: Membership) -> str:
    return ""


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


def menu(connection: Connection, member: Membership) -> list[dict[str, Any]]:
    """The entries as `components/actions_menu.html` reads them."""
    entries = [_entry(action, connection, member) for action in ACTIONS if action.shown(connection)]
    return [*entries[:-1], _hold(connection, member), entries[-1]]


def _hold(connection: Connection, member: Membership) -> dict[str, Any]:
    """*Hold messages*, which those do who operate them; to release them stands on the banner."""
    url = f"{reverse('connections:messages-hold', args=[member.vault_id])}?connection={connection.api_name}"
    needs = Permission.MESSAGES_OPERATE
    return menu_entry(member, "Hold messages", url, icon="hand-stop", needs=needs, refusal="", danger=True)


def _entry(action: Action, connection: Connection, member: Membership) -> dict[str, Any]:
    return menu_entry(
        member,
        action.label,
        record_url(connection, action.route),
        icon=action.icon,
        needs=action.needs,
        refusal=action.refusal(connection, member),
        danger=action.danger,
    )
