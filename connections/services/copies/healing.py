"""What of connections waits to be mended in a sandbox, and how to see that it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.urls import reverse

from connections.constants import ConnectionState
from connections.models import Connection, ConnectionAuthorization, VaultToken
from vaultadmin.models import SandboxLink, Vault
from vaultadmin.permissions import Permission
from vaultadmin.sandboxes.registry import LinkKind, Look

PEER, URL, INBOUND = "peer", "external_url", "external_inbound"
SECRET, TOKEN, USER = "authorization_secret", "vault_token", "authorized_user"


def _connections(
    healed: Callable[[Connection], bool], route: str
) -> Callable[[Vault, Sequence[SandboxLink]], dict[int, Look]]:
    def look(vault: Vault, links: Sequence[SandboxLink]) -> dict[int, Look]:
        rows = Connection.objects.filter(vault=vault).in_bulk([link.subject_id for link in links])
        return {
            link.pk: Look(healed(row), reverse(route, args=[vault.pk, row.api_name]))
            for link in links
            if (row := rows.get(link.subject_id)) is not None
        }

    return look


def _authorizations(vault: Vault, links: Sequence[SandboxLink]) -> dict[int, Look]:
    rows = ConnectionAuthorization.objects.filter(vault=vault).in_bulk([link.subject_id for link in links])
    return {
        link.pk: Look(row.secret_id is not None, reverse("connections:authorization-edit", args=[vault.pk, row.pk]))
        for link in links
        if (row := rows.get(link.subject_id)) is not None
    }


def _tokens(vault: Vault, links: Sequence[SandboxLink]) -> dict[int, Look]:
    rows = VaultToken.objects.filter(vault=vault).in_bulk([link.subject_id for link in links])
    return {
        link.pk: Look(bool(row.value), reverse("connections:token-edit", args=[vault.pk, row.pk]))
        for link in links
        if (row := rows.get(link.subject_id)) is not None
    }


KINDS = {
    PEER: LinkKind(
        "Vault to Vault connection",
        "The copy is Pending; the other Vault still talks to the source.",
        "Download its connection file, upload it in the other Vault, and have both sides approve.",
        "Re-establish",
        Permission.MANAGE_CONNECTIONS,
        _connections(lambda row: row.state == ConnectionState.ACTIVE, "connections:record"),
    ),
    URL: LinkKind(
        "External connection",
        "The copy is Inactive, so that nothing reaches the application the source uses.",
        "Enter the URL it should lead to; saving it makes the connection Active.",
        "Enter URL",
        Permission.CONNECTION_EDIT,
        _connections(lambda row: not row.url_removed, "connections:edit-details"),
    ),
    INBOUND: LinkKind(
        "External connection without a URL",
        "The copy is Inactive, so that the application the source knows is not let in here.",
        "Activate it once an application may call this sandbox.",
        "Open connection",
        Permission.MANAGE_CONNECTIONS,
        _connections(lambda row: row.state == ConnectionState.ACTIVE, "connections:record"),
    ),
    SECRET: LinkKind(
        "Authorization",
        "Secrets are never copied.",
        "Enter the password or client secret that is good for this sandbox.",
        "Enter secret",
        Permission.AUTHORIZATION_EDIT,
        _authorizations,
    ),
    TOKEN: LinkKind(
        "Vault token",
        "Its clone behavior clears the value, so URLs that name it lead nowhere.",
        "Enter the value for this sandbox.",
        "Enter value",
        Permission.MANAGE_CONNECTIONS,
        _tokens,
    ),
    USER: LinkKind(
        "Authorized Connection User",
        "The person is not a member of this sandbox, so nobody can act through the connection.",
        "Choose a member of this sandbox.",
        "Choose user",
        Permission.CONNECTION_EDIT,
        _connections(lambda row: row.authorized_user_id is not None, "connections:edit-details"),
    ),
}
