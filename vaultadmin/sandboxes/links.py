"""What waits to be mended in a sandbox, looked at as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vaultadmin.models import Membership, SandboxLink, Vault
from vaultadmin.permissions import can
from vaultadmin.sandboxes.registry import LinkKind, link_kinds


@dataclass(frozen=True)
class LinkRow:
    """One line of the page: what broke, whether it is mended, where to mend it, or why this person cannot."""

    link: SandboxLink
    kind: LinkKind
    healed: bool
    url: str
    refusal: str


def rows(vault: Vault, member: Membership) -> list[LinkRow]:
    """Every link of the sandbox, broken ones first."""
    links = list(SandboxLink.objects.filter(sandbox=vault.pk))
    found = []
    for key, kind in link_kinds.items():
        mine = [link for link in links if link.kind == key]
        found += _rows_of(vault, member, kind, mine)
    return sorted(found, key=lambda row: row.healed)


def open_count(vault: Vault, member: Membership) -> int:
    """How many links are still broken."""
    return sum(not row.healed for row in rows(vault, member))


def _rows_of(vault: Vault, member: Membership, kind: LinkKind, links: Sequence[SandboxLink]) -> list[LinkRow]:
    if not links:
        return []
    looks = kind.look(vault, links)
    refusal = "" if can(member, kind.needs) else f"Needs “{kind.needs.label}”."
    found = []
    for link in links:
        look = looks.get(link.pk)
        # What was deleted in the sandbox meanwhile needs no mending.
        found.append(LinkRow(link, kind, look is None or look.healed, look.url if look else "", refusal))
    return found
