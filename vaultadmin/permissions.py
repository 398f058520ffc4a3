"""What a security profile can allow, and the two questions asked of it.

The labels are those people know from Vault administration (veeva-core section 13) plus our own for messages
and eCOA. A permission is stored by its API name, shown by its label.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import TextChoices

if TYPE_CHECKING:
    from vaultadmin.models import Membership


class Permission(TextChoices):
    """Every permission of the product; nothing else guards anything."""

    MANAGE_CONNECTIONS = "application_manage_connections", "Application: Manage Connections"
    MANAGE_INTEGRATIONS = "application_manage_integrations", "Application: Manage Integrations"
    WORKFLOW_START = "workflow_start", "Workflow: Start"
    WORKFLOW_PARTICIPATE = "workflow_participate", "Workflow: Participate"
    CONNECTION_READ = "connection_read", "Objects: Connection: Read"
    CONNECTION_CREATE = "connection_create", "Objects: Connection: Create"
    CONNECTION_EDIT = "connection_edit", "Objects: Connection: Edit"
    CONNECTION_DELETE = "connection_delete", "Objects: Connection: Delete"
    AUTHORIZATION_READ = "connection_authorization_read", "Objects: Connection Authorization: Read"
    AUTHORIZATION_CREATE = "connection_authorization_create", "Objects: Connection Authorization: Create"
    AUTHORIZATION_EDIT = "connection_authorization_edit", "Objects: Connection Authorization: Edit"
    AUTHORIZATION_DELETE = "connection_authorization_delete", "Objects: Connection Authorization: Delete"
    SPARK_QUEUES = "admin_spark_queues", "Admin: Spark Queues"
    SDK_JOB_QUEUES = "admin_sdk_job_queues", "Admin: SDK Job Queues"
    QUEUE_LOG = "configuration_queue_log", "Configuration: Queues: Queue Log"
    API_USAGE_LOGS = "admin_api_usage_logs", "Admin: Logs: API Usage Logs"
    MESSAGES_OPERATE = "messages_operate", "Messages: Operate"
    API_ACCESS = "api_access", "API: Access API"
    ADMIN_USERS = "admin_users", "Admin: Users"
    ADMIN_SECURITY_PROFILES = "admin_security_profiles", "Admin: Security Profiles"
    ADMIN_SANDBOXES = "admin_sandboxes", "Admin: Sandboxes"
    ADMIN_SETTINGS = "admin_settings", "Admin: Settings"
    ADMIN_AUDIT = "admin_audit", "Admin: Audit"
    ADMIN_STATUS = "admin_status", "Admin: Status"
    ECOA_MANAGE = "ecoa_manage", "eCOA: Manage"
    ECOA_STUDY_TEAM = "ecoa_study_team", "eCOA: Study Team"
    ECOA_VIEW_SITES = "ecoa_view_sites", "eCOA: View Sites"


_CONNECTION_RECORDS = frozenset(
    {
        Permission.CONNECTION_READ,
        Permission.CONNECTION_CREATE,
        Permission.CONNECTION_EDIT,
        Permission.CONNECTION_DELETE,
        Permission.AUTHORIZATION_READ,
        Permission.AUTHORIZATION_CREATE,
        Permission.AUTHORIZATION_EDIT,
        Permission.AUTHORIZATION_DELETE,
    }
)
# `values` builds its list anew at every look, and a page asks a dozen times.
_API_NAMES = frozenset(Permission.values)
# A wider permission carries the narrower ones, so a profile needs one tick and a view names what it really needs.
IMPLIED: dict[Permission, frozenset[Permission]] = {
    Permission.MANAGE_CONNECTIONS: _CONNECTION_RECORDS,
    Permission.ECOA_MANAGE: frozenset({Permission.ECOA_STUDY_TEAM, Permission.ECOA_VIEW_SITES}),
    Permission.ECOA_STUDY_TEAM: frozenset({Permission.ECOA_VIEW_SITES}),
}


class PermissionRefused(PermissionDenied):
    """The member lacks a permission; the sentence names it by its label."""

    def __init__(self, *permissions: Permission) -> None:
        self.permissions = permissions
        names = " or ".join(f"“{permission.label}”" for permission in permissions)
        super().__init__(f"Your security profile does not include {names}. Ask a Vault Owner for it.")


def expand(granted: list[str] | tuple[str, ...] | set[str]) -> frozenset[str]:
    """The API names a profile really allows: what is ticked plus what that implies. Unknown names are dropped."""
    return _expanded(frozenset(granted))


@lru_cache(maxsize=1024)
def _expanded(granted: frozenset[str]) -> frozenset[str]:
    known = {Permission(name) for name in granted if name in _API_NAMES}
    return frozenset(known.union(*(IMPLIED.get(permission, frozenset()) for permission in known)))


def can(member: Membership | None, permission: Permission) -> bool:
    """May this member do this in their vault? Inactive people and memberships may do nothing."""
    if member is None or not member.is_active or not member.user.is_active:
        return False
    return permission in expand(member.profile.permissions)


def can_any(member: Membership | None, permissions: tuple[Permission, ...]) -> bool:
    """True when the member holds at least one of the permissions."""
    return any(can(member, permission) for permission in permissions)


def ensure(member: Membership | None, *permissions: Permission) -> None:
    """Raise PermissionRefused unless the member holds one of the permissions."""
    if not can_any(member, permissions):
        raise PermissionRefused(*permissions)
