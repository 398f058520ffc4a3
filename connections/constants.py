"""API names of connection types, fields, states and actions. The one place that knows them (veeva-core section 2)."""

from __future__ import annotations

from django.db.models import TextChoices

RECORD_ID_PREFIX = "V17"
LIFECYCLE = "connection_lifecycle__sys"
RESERVED_API_NAMES = frozenset({"create"})


class ConnectionType(TextChoices):
    """Object types of `connection__sys`; fixed once a record exists."""

    VAULT_TO_VAULT = "vault_to_vault__sys", "Vault to Vault"
    EXTERNAL = "external__sys", "External"
    LOCAL = "local__sys", "Local"


class ConnectionState(TextChoices):
    """Lifecycle states of a connection."""

    PENDING = "pending_state__sys", "Pending"
    APPROVED = "approved_state__sys", "Approved"
    ACTIVE = "active_state__sys", "Active"
    INACTIVE = "inactive_state__sys", "Inactive"
    DISCONNECTED = "disconnected_state__sys", "Disconnected"


class RecordStatus(TextChoices):
    """`status__v`, driven by the state."""

    ACTIVE = "active__v", "Active"
    INACTIVE = "inactive__v", "Inactive"


class AuthorizationType(TextChoices):
    """Object types of `connection_authorization__sys`."""

    BASIC = "basic_auth__sys", "Basic Auth"
    CLIENT_CREDENTIALS = "client_credentials__sys", "Client Credential"


class BindingState(TextChoices):
    """How far one exchange of a connection file has come, seen from one side."""

    PROPOSED = "proposed", "Waiting for the other Vault"
    APPROVING = "approving", "Waiting for approval"
    IN_FORCE = "in_force", "In force"
    REFUSED = "refused", "Refused by the other Vault"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    ENDED = "ended", "Ended"


class Side(TextChoices):
    """Which end of an exchange this vault is."""

    SOURCE = "source", "Source"
    TARGET = "target", "Target"


class Verdict(TextChoices):
    """Verdicts of the approval task."""

    APPROVE = "approve", "Approve"
    REJECT = "reject", "Reject"


APPROVAL_TASK = "connection.approval"

# Our model fields by the API name the record is known under outside.
FIELD_API_NAMES = {
    "record_id": "id",
    "name": "name__v",
    "api_name": "api_name__sys",
    "type": "object_type__v",
    "status": "status__v",
    "lifecycle": "lifecycle__v",
    "state": "state__v",
    "description": "description__sys",
    "authorized_user": "authorized_connection_user__sys",
    "remote_vault_id": "remote_vault_id__sys",
    "remote_connection_id": "remote_connection_id__sys",
    "remote_vault_name": "remote_vault_name__sys",
    "remote_vault_dns": "remote_vault_dns__sys",
    "remote_domain": "remote_domain__sys",
    "remote_application": "remote_application__sys",
    "url": "url__sys",
    "authorization": "connection_authorization__sys",
    "system_managed": "system_managed__sys",
    "signing_certificate": "signing_certificate__sys",
}
