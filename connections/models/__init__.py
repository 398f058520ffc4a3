"""The tables of connections."""

from connections.models.alert import Alert, AlertCall, AlertRule
from connections.models.authorization import ConnectionAuthorization
from connections.models.binding import Binding
from connections.models.certificate import SigningCertificate
from connections.models.client import ConnectionClient, default_client_id
from connections.models.connection import Connection, ConnectionAlias
from connections.models.filed import FiledMessage
from connections.models.hold import Hold
from connections.models.integration import Integration, IntegrationPoint
from connections.models.issued_file import IssuedFile
from connections.models.message import DeliveryAttempt, IncomingMessage, MessageCopy, SparkMessage
from connections.models.peer_certificate import CertificateAnnouncement, PeerCertificate
from connections.models.peer_clock import PeerClock
from connections.models.peer_message import IncomingPeerMessage, OutgoingPeerMessage
from connections.models.queue import Lane, Queue, QueueConnection, QueueTally
from connections.models.queue_log import EntryType, QueueLogEntry, QueueTrace
from connections.models.reference_lookup import ReferenceLookup
from connections.models.replay import Replay, ReplayItem, ReplayItemState, ReplayState
from connections.models.stats import ConnectionStats
from connections.models.token import VaultToken
from connections.models.traffic import Arrival, TrafficSlot

__all__ = [
    "Alert",
    "AlertCall",
    "AlertRule",
    "Arrival",
    "Binding",
    "CertificateAnnouncement",
    "Connection",
    "ConnectionAlias",
    "ConnectionAuthorization",
    "ConnectionClient",
    "ConnectionStats",
    "DeliveryAttempt",
    "EntryType",
    "FiledMessage",
    "Hold",
    "IncomingMessage",
    "IncomingPeerMessage",
    "Integration",
    "IntegrationPoint",
    "IssuedFile",
    "Lane",
    "MessageCopy",
    "OutgoingPeerMessage",
    "PeerCertificate",
    "PeerClock",
    "Queue",
    "QueueConnection",
    "QueueLogEntry",
    "QueueTally",
    "QueueTrace",
    "ReferenceLookup",
    "Replay",
    "ReplayItem",
    "ReplayItemState",
    "ReplayState",
    "SigningCertificate",
    "SparkMessage",
    "TrafficSlot",
    "VaultToken",
    "default_client_id",
]
