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


class IntegrationPointType(TextChoices):
    """Object types of `integration_point__sys`: which end of a message the point is."""

    SENDER = "sender__sys", "Sender"
    RECEIVER = "receiver__sys", "Receiver"


class LookupType(TextChoices):
    """Object types of `reference_lookup__sys`."""

    OBJECT = "object__sys", "Object"
    PICKLIST = "picklist__sys", "Picklist"
    GENERIC = "generic__sys", "Generic"


class AuthorizationType(TextChoices):
    """Object types of `connection_authorization__sys`."""

    BASIC = "basic_auth__sys", "Basic Auth"
    CLIENT_CREDENTIALS = "client_credentials__sys", "Client Credential"


class TokenType(TextChoices):
    """What a Vault token holds (`Vaulttoken.type`)."""

    STRING = "string__sys", "String"
    BOOLEAN = "boolean__sys", "Boolean"
    NUMBER = "number__sys", "Number"
    DATE = "date__sys", "Date"
    DATETIME = "datetime__sys", "Datetime"
    LIST = "list_string__sys", "List of strings"


class CloneBehavior(TextChoices):
    """What a sandbox gets (`Vaulttoken.clone_behavior`)."""

    CLEAR = "clear__sys", "Clear the value"
    PERSIST = "persist__sys", "Keep the value"


class QueueType(TextChoices):
    """What a Spark queue holds (`Queue.type`)."""

    INBOUND = "inbound", "Inbound"
    OUTBOUND = "outbound", "Outbound"
    JOB = "job", "Job"


class CopyState(TextChoices):
    """Where one copy of an outgoing message stands."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    SET_ASIDE = "set_aside", "Set aside"
    REMOVED = "removed", "Removed"


GIVEN_UP = (CopyState.FAILED, CopyState.SET_ASIDE, CopyState.REMOVED)


class LaneOutcome(TextChoices):
    """How the last attempt of a lane went, in the words of the REST API."""

    OK = "ok", "Delivered"
    ERROR = "error", "Not delivered"


class IncomingState(TextChoices):
    """Where a message of an inbound queue stands."""

    WAITING = "waiting", "Waiting"
    PROCESSED = "processed", "Processed"
    SET_ASIDE = "set_aside", "Set aside"
    REMOVED = "removed", "Removed"


class AttemptOutcome(TextChoices):
    """How one attempt to deliver a message ended; `started` belongs to a sender that died."""

    STARTED = "started", "Outcome unknown"
    DELIVERED = "delivered", "Delivered"
    REFUSED = "refused", "Not accepted"
    TIMEOUT = "timeout", "Timeout"
    NO_ANSWER = "no_answer", "No answer"
    NOT_SENT = "not_sent", "Not sent"


class AlertKind(TextChoices):
    """What an alert rule watches."""

    FAILURES = "failures", "Failure rate"
    BACKLOG = "backlog", "Backlog age"
    SILENCE = "silence", "Silence"


class AlertEnd(TextChoices):
    """Why an alert is over."""

    RESOLVED = "resolved", "Resolved"
    NOT_WATCHED = "not_watched", "Not watched any more"


class CallSubject(TextChoices):
    """What a webhook call tells of an alert."""

    FIRING = "firing", "Firing"
    RESOLVED = "resolved", "Resolved"


class CallOutcome(TextChoices):
    """What became of a webhook call."""

    SENT = "sent", "Taken"
    GIVEN_UP = "given_up", "Given up"
    DROPPED = "dropped", "Not sent"


class BindingState(TextChoices):
    """How far one exchange of a connection file has come, seen from one side."""

    PROPOSED = "proposed", "Waiting for the other Vault"
    APPROVING = "approving", "Waiting for approval"
    IN_FORCE = "in_force", "In force"
    REFUSED = "refused", "Refused by the other Vault"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    LAPSED = "lapsed", "Lapsed"
    ENDED = "ended", "Ended"


class CertificateStage(TextChoices):
    """How far a signing certificate has come (veeva-core section 11)."""

    PUBLISHED = "published", "Published"
    TEST = "test", "Test"
    ROLLOVER = "rollover", "Rollover"
    ACTIVE = "active", "Active"
    RETIRED = "retired", "Retired"


class Side(TextChoices):
    """Which end of an exchange this vault is."""

    SOURCE = "source", "Source"
    TARGET = "target", "Target"


class Verdict(TextChoices):
    """Verdicts of the approval task."""

    APPROVE = "approve", "Approve"
    REJECT = "reject", "Reject"


APPROVAL_TASK = "connection.approval"

# Columns of downloads, by the names the fields have outside.
REFERENCE_LOOKUP_API_NAMES = {
    "connection": "connection__sys",
    "type": "object_type__v",
    "name": "name__v",
    "status": "status__v",
    "target_object": "target_object__sys",
    "target_key_field": "target_key_field__sys",
    "source_key": "source_key__sys",
    "target_key": "target_key__sys",
}
QUEUE_API_NAMES = {
    "name": "name",
    "label": "label",
    "is_active": "active",
    "description": "description",
    "type": "type",
    "processor": "message_processor",
    "processor_user": "message_processor_user",
    "handler": "message_delivery_event_handler",
    "handler_user": "message_delivery_event_handler_user",
    "rollback_on_error": "rollback_on_error",
    "sequential": "sequential",
}
CONNECTION_STATS_API_NAMES = {
    "connection": "connection__sys",
    "date": "date__sys",
    "sent": "messages_sent__sys",
    "received": "messages_received__sys",
    "failures": "failures__sys",
    "retries": "retries__sys",
    "timeouts": "timeouts__sys",
    "fatal": "fatal_errors__sys",
}
