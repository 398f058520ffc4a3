"""The platform's tables: vaults, people, permissions, secrets, audit, work lists and heartbeats."""

from vaultadmin.applications import Application
from vaultadmin.models.api_session import ApiSession, ApiSessionOrigin
from vaultadmin.models.api_token import ApiToken
from vaultadmin.models.api_usage import ApiUsage
from vaultadmin.models.attempt_window import AttemptWindow
from vaultadmin.models.audit import AuditEvent, AuditHead
from vaultadmin.models.call_window import CallWindow
from vaultadmin.models.delegation import Delegation
from vaultadmin.models.heartbeat import Heartbeat
from vaultadmin.models.membership import Invitation, Membership
from vaultadmin.models.notice import Notice
from vaultadmin.models.sandbox import Sandbox, SandboxLink, SandboxState
from vaultadmin.models.secret import Secret
from vaultadmin.models.security_profile import SecurityProfile
from vaultadmin.models.signature import Signature
from vaultadmin.models.task import Task
from vaultadmin.models.user import User
from vaultadmin.models.vault import Installation, Vault
from vaultadmin.models.vault_settings import VaultSettings

__all__ = [
    "ApiSession",
    "ApiSessionOrigin",
    "ApiToken",
    "ApiUsage",
    "Application",
    "AttemptWindow",
    "AuditEvent",
    "AuditHead",
    "CallWindow",
    "Delegation",
    "Heartbeat",
    "Installation",
    "Invitation",
    "Membership",
    "Notice",
    "Sandbox",
    "SandboxLink",
    "SandboxState",
    "Secret",
    "SecurityProfile",
    "Signature",
    "Task",
    "User",
    "Vault",
    "VaultSettings",
]
