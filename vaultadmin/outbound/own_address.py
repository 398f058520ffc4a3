"""Which address others see when we call them, as far as that can be known without asking anybody outside."""

import socket
from dataclasses import dataclass

from django.conf import settings

from .addresses import is_public, parse_address

# Any public address does: nothing is sent, the system only says which way out it would take.
_ANYWHERE = ("1.1.1.1", 443)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`configured` are what the operator says; `own` is this machine's address on the way out, "" without one."""

    configured: tuple[str, ...]
    own: str

    @property
    def own_is_public(self) -> bool:
        """Could the outside see this very address?"""
        address = parse_address(self.own) if self.own else None
        return address is not None and is_public(address)

    @property
    def known(self) -> tuple[str, ...]:
        """The addresses to tell others; empty when nobody here knows them."""
        return self.configured or ((self.own,) if self.own_is_public else ())


def outgoing() -> Outgoing:
    """The operator's word first; else what the machine itself knows. A gateway's address is never guessed."""
    return Outgoing(tuple(settings.OUTBOUND_ADDRESSES), _own())


def _own() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ANYWHERE)
        except OSError:
            return ""
        return str(probe.getsockname()[0])
