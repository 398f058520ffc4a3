"""The tile of a sandbox's home: what waits to be mended."""

from __future__ import annotations

from django.urls import reverse

from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can_any
from vaultadmin.registries import Card
from vaultadmin.sandboxes import links
from vaultadmin.together import Asking, known

MENDERS = (Permission.ADMIN_SANDBOXES, Permission.MANAGE_CONNECTIONS, Permission.ECOA_MANAGE)


def cards(member: Membership) -> Asking[list[Card]]:
    """How many links are broken, for those who may look at them; nothing outside sandboxes."""
    if not member.vault.is_sandbox or not can_any(member, MENDERS):
        return known([])
    found = links.rows(member.vault, member)
    broken = sum(not row.healed for row in found)
    url = reverse("vault:sandbox-links", args=[member.vault_id])
    if broken:
        sentence = "They broke when this sandbox was copied."
        return known([Card("Links to mend", str(broken), sentence, url, "warning", "unlink")])
    return known([Card("Links to mend", "0", "Everything works as far as it should.", url, "success", "unlink")])
