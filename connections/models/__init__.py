"""The tables of connections."""

from connections.models.authorization import ConnectionAuthorization
from connections.models.binding import Binding
from connections.models.certificate import SigningCertificate
from connections.models.connection import Connection, ConnectionAlias
from connections.models.issued_file import IssuedFile
from connections.models.peer_message import IncomingPeerMessage, OutgoingPeerMessage

__all__ = [
    "Binding",
    "Connection",
    "ConnectionAlias",
    "ConnectionAuthorization",
    "IncomingPeerMessage",
    "IssuedFile",
    "OutgoingPeerMessage",
    "SigningCertificate",
]
