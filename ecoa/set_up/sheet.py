"""The sheet for the Veeva project team: what they ask for, and what we need from them. It holds no secret."""

from __future__ import annotations

from typing import Any

from ecoa.models import SetUp, SetUpState
from vaultadmin.models import Membership
from vaultadmin.outbound import outgoing
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Mail

UNKNOWN = "Not known yet; we send it separately"
WANTED = (
    "External system ID (issued by you)",
    "External system secret (by a secure channel of yours, never by mail)",
    "Tenant ID",
    "Base URL, if it is not the one above",
    "Confirmation that the study mapping is made and the integration is enabled",
    "Confirmation that our outbound addresses are allowed",
)


def rows(set_up: SetUp) -> list[tuple[str, str]]:
    """What we tell them, as label and value."""
    return [
        ("Organisation", set_up.vault.name),
        ("Study", set_up.name),
        ("Study ID in our system", set_up.external_study_id),
        ("Site numbers in our system", ", ".join(set_up.site_numbers)),
        ("Our outbound IP addresses", ", ".join(outgoing().known) or UNKNOWN),
        ("Base URL we will call", set_up.base_url if set_up.connection is None else set_up.connection.url),
        ("API version", set_up.api_version),
    ]


def mail(member: Membership, _subject: str, data: dict[str, Any]) -> Mail | None:
    """The sheet as a mail to whoever asked for it; None when the set-up is over."""
    found = SetUp.objects.visible_to(member).select_related("vault", "connection").filter(pk=data["set_up"]).first()
    if found is None or found.state != SetUpState.OPEN or not can(member, Permission.ECOA_MANAGE):
        return None
    told = "\n".join(f"{label}: {value}" for label, value in rows(found))
    return Mail(
        f"Sheet for the Veeva project team: {found.name}",
        (
            "Please forward this to your Veeva project team.",
            f"What you need from us\n{told}",
            "What we need from you\n" + "\n".join(f"- {line}" for line in WANTED),
        ),
    )
