"""What several pages of connections share."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404
from django.urls import reverse

from connections.constants import ConnectionType
from connections.models import Connection, Integration, ReferenceLookup
from connections.selectors import connections as selectors
from connections.selectors import lookups
from connections.services import outward
from connections.services.refusals import Refused
from vaultadmin.access import MemberRequest
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can

# Each type with its icon and when to use it: the wizard's cards and the empty list teach the same.
TYPE_CARDS = [
    {
        "value": ConnectionType.VAULT_TO_VAULT.value,
        "label": ConnectionType.VAULT_TO_VAULT.label,
        "icon": "arrows-left-right",
        "text": "Exchange messages and data with another Vault. Both sides agree by a connection file.",
    },
    {
        "value": ConnectionType.EXTERNAL.value,
        "label": ConnectionType.EXTERNAL.label,
        "icon": "world",
        "text": "Reach an application outside of Vault over HTTPS, or let it call this Vault. Usable at once.",
    },
    {
        "value": ConnectionType.LOCAL.value,
        "label": ConnectionType.LOCAL.label,
        "icon": "repeat",
        "text": "Let this Vault integrate with itself, for example to run work as another user. Usable at once.",
    },
]
TYPE_ICONS = {card["value"]: card["icon"] for card in TYPE_CARDS}


def record_or_404(request: MemberRequest, api_name: str) -> Connection:
    """The connection of this address; foreign ones look like missing ones."""
    connection = selectors.find(request.member, api_name)
    if connection is None:
        raise Http404
    return connection


def record_url(connection: Connection, name: str = "record") -> str:
    """A page of one connection."""
    return reverse(f"connections:{name}", args=[connection.vault_id, connection.api_name])


def integration_url(integration: Integration, name: str = "") -> str:
    """A page of one integration, below its connection."""
    route = f"connections:integration-{name}" if name else "connections:integration"
    return reverse(route, args=[integration.vault_id, integration.connection.api_name, integration.pk])


def lookup_or_404(request: MemberRequest, lookup_id: int) -> ReferenceLookup:
    """The reference lookup of this address."""
    found = lookups.find(request.member, lookup_id)
    if found is None:
        raise Http404
    return found


def lookup_url(lookup: ReferenceLookup, name: str = "lookup") -> str:
    """A page of one reference lookup."""
    return reverse(f"connections:{name}", args=[lookup.vault_id, lookup.pk])


def list_url(request: MemberRequest) -> str:
    """The list of connections."""
    return reverse("connections:list", args=[request.member.vault_id])


def menu_entry(
    member: Membership, label: str, url: str, *, icon: str, needs: Permission, refusal: str, danger: bool = False
) -> dict[str, Any]:
    """One entry of an Actions menu that opens a dialog; shown disabled with the reason when it is not available."""
    lacking = "" if can(member, needs) else f"Needs “{needs.label}”."
    return {
        "label": label,
        "url": url,
        "icon": icon,
        "dialog": True,
        "disabled_reason": lacking or refusal,
        "danger": danger,
    }


def warn_of_tokens(request: MemberRequest, connection: Connection) -> None:
    """Say after a save which tokens of the URL have no value now. The URL is saved all the same."""
    if not connection.is_external or "${" not in connection.url:
        return
    if problems := outward.preview(connection.url, connection.vault).problems:
        messages.warning(request, f"The URL was saved but cannot be used now. {' '.join(problems)}")


def add_refusal(form: Any, refusal: Refused) -> None:
    """Show a service's refusal at its field, or on top of the form when the field is not shown."""
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
