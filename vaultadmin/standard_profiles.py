"""The security profiles every vault starts with, and the table of them in docs/permissions.md.

Their permissions are ours and the same in every vault; vaults that need something else copy one and change the copy.
API names end in `__v` (ours) or `__c` (a vault's own), so that a profile we add later never meets one people made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from vaultadmin import audit
from vaultadmin.audit import Actor, Entry, System
from vaultadmin.models import SecurityProfile, Vault
from vaultadmin.permissions import Permission, expand

P = Permission


@dataclass(frozen=True)
class StandardProfile:
    """One profile as every vault gets it."""

    api_name: str
    name: str
    purpose: str
    permissions: tuple[Permission, ...]


VAULT_OWNER = StandardProfile("vault_owner__v", "Vault Owner", "Everything in the vault.", tuple(Permission))
APPLICATION_OWNER = StandardProfile(
    "application_owner__v",
    "Application Owner",
    "Builds and runs connections and eCOA; neither people nor profiles.",
    (
        P.MANAGE_CONNECTIONS,
        P.MANAGE_INTEGRATIONS,
        P.WORKFLOW_START,
        P.WORKFLOW_PARTICIPATE,
        P.SPARK_QUEUES,
        P.SDK_JOB_QUEUES,
        P.QUEUE_LOG,
        P.API_USAGE_LOGS,
        P.MESSAGES_OPERATE,
        P.API_ACCESS,
        P.ADMIN_SETTINGS,
        P.ADMIN_STATUS,
        P.ECOA_MANAGE,
    ),
)
CONNECTION_APPROVER = StandardProfile(
    "connection_approver__v",
    "Connection Approver",
    "Decides whether a connection file may be trusted.",
    (P.WORKFLOW_PARTICIPATE, P.CONNECTION_READ),
)
MESSAGE_OPERATOR = StandardProfile(
    "message_operator__v",
    "Message Operator",
    "Keeps messages moving: queues, logs, resending.",
    (P.MESSAGES_OPERATE, P.CONNECTION_READ, P.SPARK_QUEUES, P.SDK_JOB_QUEUES, P.QUEUE_LOG, P.ADMIN_STATUS),
)
SITE_STAFF = StandardProfile(
    "site_staff__v", "Site Staff", "Participants of the sites assigned to the person.", (P.ECOA_VIEW_SITES,)
)
STUDY_TEAM = StandardProfile(
    "study_team__v", "Study Team", "Participants of every site of the study.", (P.ECOA_STUDY_TEAM,)
)
AUDITOR = StandardProfile(
    "auditor__v",
    "Auditor",
    "Reads the audit trail, the logs and what they are about.",
    (P.ADMIN_AUDIT, P.CONNECTION_READ, P.AUTHORIZATION_READ, P.QUEUE_LOG, P.API_USAGE_LOGS),
)
READ_ONLY = StandardProfile(
    "read_only__v", "Read Only", "Looks at connections and authorizations.", (P.CONNECTION_READ, P.AUTHORIZATION_READ)
)
INTEGRATION_USER = StandardProfile(
    "integration_user__v",
    "Integration User",
    "The person behind a program: API access, eCOA and queues.",
    (P.API_ACCESS, P.ECOA_MANAGE, P.CONNECTION_READ, P.AUTHORIZATION_READ, P.SPARK_QUEUES),
)

SYSTEM_ACCOUNT = StandardProfile(
    "system_account__v",
    "System Account",
    "The product's own Application Owner, as whom peers of standard connections call in; nobody signs in with it.",
    (P.API_ACCESS, P.CONNECTION_READ),
)

STANDARD: tuple[StandardProfile, ...] = (
    VAULT_OWNER,
    APPLICATION_OWNER,
    CONNECTION_APPROVER,
    MESSAGE_OPERATOR,
    SITE_STAFF,
    STUDY_TEAM,
    AUDITOR,
    READ_ONLY,
    INTEGRATION_USER,
    SYSTEM_ACCOUNT,
)
PURPOSES = {profile.api_name: profile.purpose for profile in STANDARD}


def install(vault: Vault, *, by: Actor | None = None) -> None:
    """Give the vault every standard profile as it is today; a second run changes nothing.

    `requires_second_factor` belongs to the vault and is never touched here.
    """
    with transaction.atomic():
        held = {row.api_name: row for row in vault.security_profiles.select_for_update().filter(is_standard=True)}
        entries = [_put(vault, profile, held.get(profile.api_name)) for profile in STANDARD]
        changed = [entry for entry in entries if entry is not None]
        audit.record_many(vault=vault, by=by or System("Standard profiles"), entries=changed)


def find(vault: Vault, profile: StandardProfile) -> SecurityProfile:
    """The vault's row of a standard profile."""
    return SecurityProfile.objects.get(vault=vault, api_name=profile.api_name, is_standard=True)


def _put(vault: Vault, profile: StandardProfile, row: SecurityProfile | None) -> Entry | None:
    granted = [permission.value for permission in profile.permissions]
    before = row.permissions if row is not None else None
    if row is not None and row.name == profile.name and set(row.permissions) == set(granted):
        return None
    event = "security_profile.created" if row is None else "security_profile.changed"
    row = row or SecurityProfile(vault=vault, api_name=profile.api_name, is_standard=True)
    row.name, row.permissions = profile.name, granted
    row.save()
    changes: audit.Changes = {"permissions": (before, granted)}
    return Entry(event, row._meta.label_lower, str(row.pk), row.name, changes)


def table() -> str:
    """docs/permissions.md: one row per permission, one column per standard profile; a test keeps the file equal."""
    lines = [
        "# Permissions of the standard security profiles",
        "",
        "● ticked in the profile, ○ carried by a wider permission. Generated by `vaultadmin.standard_profiles.table`.",
        "",
        _line(["Permission", *(profile.name for profile in STANDARD)]),
        _line(["---", *(":-:" for _ in STANDARD)]),
        *(_line([permission.label, *(_mark(profile, permission) for profile in STANDARD)]) for permission in P),
        "",
        "| Profile | API name | For |",
        "| --- | --- | --- |",
        *(_line([profile.name, f"`{profile.api_name}`", profile.purpose]) for profile in STANDARD),
    ]
    return "\n".join(lines) + "\n"


def _mark(profile: StandardProfile, permission: Permission) -> str:
    if permission in profile.permissions:
        return "●"
    return "○" if permission in expand([granted.value for granted in profile.permissions]) else ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
