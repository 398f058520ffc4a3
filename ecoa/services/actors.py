"""Who acts: a member of the vault with a permission, or one of the product's own machines."""

from __future__ import annotations

from vaultadmin.audit import Actor
from vaultadmin.models import Membership, Vault
from vaultadmin.permissions import Permission, PermissionRefused, ensure


def ensure_manager(by: Actor, vault: Vault | int) -> None:
    """Members need *eCOA: Manage* in this very vault; commands act as System."""
    if isinstance(by, Membership):
        if by.vault_id != (vault if isinstance(vault, int) else vault.pk):
            raise PermissionRefused(Permission.ECOA_MANAGE)
        ensure(by, Permission.ECOA_MANAGE)


def member_of(by: Actor) -> Membership | None:
    """The member behind an act, None for a machine."""
    return by if isinstance(by, Membership) else None


def label_of(by: Actor) -> str:
    """The actor's name as pages show it."""
    return str(by) if isinstance(by, Membership) else getattr(by, "name", str(by))
