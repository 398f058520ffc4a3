"""The one door to the network.

`send` and `AsyncDoor` are the only ways out: total deadline, no redirects, nothing from the environment, and no
connection to an address that `Policy` did not judge at the moment of dialling. No other module of the project imports
an HTTP library or opens a client socket.
"""

from .answer import Answer, ErrorKind
from .async_door import AsyncDoor
from .door import Door, send
from .own_address import Outgoing, outgoing
from .peer import Peer
from .policy import Policy, PolicyError, check_url, current_policy, settings_fault
from .region import region_allowed
from .urls import UrlRefused

__all__ = [
    "Answer",
    "AsyncDoor",
    "Door",
    "ErrorKind",
    "Outgoing",
    "Peer",
    "Policy",
    "PolicyError",
    "UrlRefused",
    "check_url",
    "current_policy",
    "outgoing",
    "region_allowed",
    "send",
    "settings_fault",
]
