"""Who keeps a vault's messages moving."""

from __future__ import annotations

from vaultadmin.models import Membership, Vault
from vaultadmin.permissions import Permission, can


def operators(vault: Vault) -> list[Membership]:
    """Everybody who operates the vault's messages."""
    members = Membership.objects.for_request().filter(vault=vault, is_active=True, user__is_active=True)
    return [member for member in members if can(member, Permission.MESSAGES_OPERATE)]
