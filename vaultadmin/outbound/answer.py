"""What came of one request to the outside, good or bad. Callers look at values; nothing is raised for the network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .peer import Peer


class ErrorKind(StrEnum):
    """Why an answer cannot be used as it is."""

    REFUSED_ADDRESS = "refused_address"
    """Our own policy refused the URL or an address behind its name: nothing was dialled."""
    BAD_REQUEST = "bad_request"
    """The request itself cannot be written, for example a line break in a header."""
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    """The connection ended before the whole answer was there."""
    TOO_BIG = "too_big"
    """There was more answer than we keep; status and the first part of the body are still given."""
    BAD_ANSWER = "bad_answer"
    """The peer did not speak HTTP as asked."""
    REDIRECT = "redirect"
    """A 3xx status: redirects are never followed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one request.

    `status` may be set together with `kind`: headers had arrived before the rest went wrong. `reached` says whether
    request bytes may have reached the peer; with `reached` and no status the outcome over there is unknown.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case; repeated headers joined by a comma."""
    body: bytes = b""
    """At most 64 KiB."""
    truncated: bool = False
    dialled: str = ""
    """Address and port really spoken to, "" when none was."""
    elapsed: float = 0.0
    error: str = ""
    """One sentence a person can act on, "" when all went well."""
    kind: ErrorKind | None = None
    reached: bool = False
    distrusted: bool = False
    """The peer's certificate was not accepted, so nothing was sent."""
    peer: Peer | None = None
    """Who answered, from the blocking door; the other one is too busy to look."""

    @property
    def ok(self) -> bool:
        """A complete 2xx answer."""
        return self.kind is None and self.status is not None and 200 <= self.status < 300

    @property
    def outcome_unknown(self) -> bool:
        """The peer may have acted on the request, but did not tell."""
        return self.reached and self.status is None
