"""Questions about Vault tokens: their values, and which connections stand on them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet

from connections.constants import ConnectionType
from connections.models import Connection, VaultToken
from connections.tokens import ALIASES, VAULT_PREFIXES, VaultValue
from vaultadmin.models import Membership, Vault
from vaultadmin.permissions import Permission, can
from vaultadmin.together import Asking


def own(member: Membership) -> QuerySet[VaultToken]:
    """The vault's own tokens by name; at most ten besides those a product made."""
    return VaultToken.objects.visible_to(member).order_by("name", "pk")


def find(member: Membership, pk: int) -> VaultToken | None:
    """One token of the member's vault."""
    return VaultToken.objects.visible_to(member).select_related("vault").filter(pk=pk).first()


def system_values(vault: Vault) -> dict[str, str]:
    """The tokens every vault has, and their values."""
    return {"id": str(vault.pk), "name": vault.name, "dns": vault.dns}


def values(vault: Vault) -> dict[str, VaultValue]:
    """Every token of a vault by lower-case name, as it resolves now."""
    return _by_name(vault, VaultToken.objects.filter(vault=vault))


def asked(vault: Vault) -> Asking[dict[str, VaultValue]]:
    """The same, asked together with other questions of a page."""
    (rows,) = yield (VaultToken.objects.filter(vault=vault),)
    return _by_name(vault, rows)


def _by_name(vault: Vault, rows: Iterable[VaultToken]) -> dict[str, VaultValue]:
    found = {name: VaultValue(value) for name, value in system_values(vault).items()}
    for token in rows:
        found[token.name.lower()] = VaultValue(token.value, token.is_active)
    return found


def connections_with(vault_id: int, name: str) -> QuerySet[Connection]:
    """Connections whose URL holds the token, whatever prefix and letters it is written with."""
    rows: QuerySet[Connection] = Connection.objects.filter(_holding(name), vault=vault_id, type=ConnectionType.EXTERNAL)
    return rows.order_by("name", "pk")


def connections_led_by(vault_id: int, name: str) -> QuerySet[Connection]:
    """Connections with a stored secret whose host the token decides (security.md K5)."""
    rows: QuerySet[Connection] = Connection.objects.filter(
        url__iregex=rf"^https://[^/?]*{_pattern(name)}",
        vault=vault_id,
        type=ConnectionType.EXTERNAL,
        authorization__secret__isnull=False,
    )
    return rows.select_related("authorization__secret").order_by("name", "pk")


def uses(member: Membership, names: list[str]) -> dict[str, int]:
    """How many connections hold each of these tokens, in one query; empty for who may not read connections."""
    if not names or not can(member, Permission.CONNECTION_READ):
        return {}
    counts = {f"n{index}": Count("pk", filter=_holding(name)) for index, name in enumerate(names)}
    rows = Connection.objects.filter(vault=member.vault_id, type=ConnectionType.EXTERNAL, url__contains="${")
    found = rows.aggregate(**counts)
    return {name: found[f"n{index}"] for index, name in enumerate(names)}


def _holding(name: str) -> Q:
    return Q(url__iregex=_pattern(name))


def _pattern(name: str) -> str:
    """A regular expression for the token; names hold letters, digits and underscores only."""
    names = [name.lower(), *(alias for alias, meant in ALIASES.items() if meant == name)]
    return rf"\$\{{({'|'.join(VAULT_PREFIXES)})\.({'|'.join(names)})\}}"
