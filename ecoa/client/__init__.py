"""The MyVeeva eCOA client: one method per call of the published API, answers parsed into our own types at the edge.

Nothing in here touches a model or the clock of the database; transport, region policy and time are passed in.
"""

from ecoa.client.api import MyVeevaClient, Transport
from ecoa.client.caches import SingleFlight
from ecoa.client.errors import (
    AddressRefused,
    Busy,
    EcoaError,
    NoAnswer,
    Refused,
    RegionRefused,
    ServiceFault,
    SignInRefused,
    Unreachable,
    Unreadable,
)
from ecoa.client.session import Caches, StudySession
from ecoa.client.types import Credentials, RemoteParticipant, Stage, Token

__all__ = [
    "AddressRefused",
    "Busy",
    "Caches",
    "Credentials",
    "EcoaError",
    "MyVeevaClient",
    "NoAnswer",
    "Refused",
    "RegionRefused",
    "RemoteParticipant",
    "ServiceFault",
    "SignInRefused",
    "SingleFlight",
    "Stage",
    "StudySession",
    "Token",
    "Transport",
    "Unreachable",
    "Unreadable",
]
