"""A request as `requests` carries it. Nothing is parsed, quoted or completed a second time on the way to the wire."""

from contextvars import ContextVar
from typing import Final

from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from .budget import Budget
from .request import Request
from .trip import Trip


class Outgoing(PreparedRequest):
    """One sending of a judged request, with its clock and its record."""

    def __init__(self, request: Request, budget: Budget, trip: Trip) -> None:
        super().__init__()
        self.target = request.target
        self.budget = budget
        self.trip = trip
        self.on_kept_connection = True
        """Until a connection is opened for it."""
        self.method = request.method
        self.url = f"https://{request.target.authority}{request.target.resource}"
        self.headers = CaseInsensitiveDict(request.headers)
        self.body = request.body or None
        if request.body:
            self.headers["Content-Length"] = str(len(request.body))


# requests and urllib3 make the pools and connections; this is how a connection learns what it is opened for.
under_way: Final[ContextVar[Outgoing]] = ContextVar("outgoing_request")
