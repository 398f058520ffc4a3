"""The record of one request under way, turned into an Answer when it ends, however it ends."""

import http.client
import ssl
from collections.abc import Iterable
from time import monotonic
from typing import Final

from .answer import Answer, ErrorKind
from .budget import AnswerTooBig
from .lookup import LookupFailed
from .peer import Peer
from .policy import AddressRefused
from .request import RequestRefused
from .tls import TrustUnavailable
from .urls import UrlRefused

MAX_BODY: Final = 65_536


class Trip:
    """Filled in as the request goes along. `reached` is set just before the first request byte is written."""

    def __init__(self) -> None:
        self._started = monotonic()
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self.dialled = ""
        self.reached = False
        self.peer: Peer | None = None

    def headers_arrived(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self._status = status
        for name, value in headers:
            key = name.lower()
            self._headers[key] = f"{self._headers[key]}, {value}" if key in self._headers else value

    @property
    def has_answer(self) -> bool:
        return self._status is not None

    @property
    def room(self) -> int:
        """How much body may still be read: one byte more than is kept shows that there was more."""
        return MAX_BODY + 1 - len(self._body)

    def body_arrived(self, piece: bytes) -> None:
        self._body += piece[: self.room]

    def finished(self) -> Answer:
        """The answer as far as it came without an error on the wire."""
        status = self._status
        if status is None or not 200 <= status <= 599:
            self._status = None
            return self.failed(ErrorKind.BAD_ANSWER, "The server answered with an impossible HTTP status.")
        if self._headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            self._body.clear()
            return self.failed(ErrorKind.BAD_ANSWER, "The server sent a compressed answer although none was accepted.")
        if 300 <= status < 400:
            return self.failed(ErrorKind.REDIRECT, f"The server answered {status}: redirects are not followed.")
        if len(self._body) > MAX_BODY:
            return self.failed(ErrorKind.TOO_BIG, f"The answer is larger than {MAX_BODY // 1024} KiB.")
        return self.failed(None, "")

    def ended_by(self, error: Exception, host: str) -> Answer:
        """The answer after an error the network can cause; any other error is ours and raised again."""
        known = _explain(error, host, reached=self.reached)
        if known is None:
            raise error
        return self.failed(*known, distrusted=isinstance(error, ssl.SSLCertVerificationError))

    def failed(self, kind: ErrorKind | None, error: str, *, distrusted: bool = False) -> Answer:
        return Answer(
            status=self._status,
            headers=self._headers,
            body=bytes(self._body[:MAX_BODY]),
            truncated=len(self._body) > MAX_BODY,
            dialled=self.dialled,
            elapsed=monotonic() - self._started,
            error=error,
            kind=kind,
            reached=self.reached,
            distrusted=distrusted,
            peer=self.peer,
        )


def _explain(error: Exception, host: str, *, reached: bool) -> tuple[ErrorKind, str] | None:
    match error:
        case UrlRefused() | AddressRefused():
            return ErrorKind.REFUSED_ADDRESS, str(error)
        case RequestRefused():
            return ErrorKind.BAD_REQUEST, str(error)
        case LookupFailed():
            return ErrorKind.DNS, str(error)
        case TrustUnavailable():
            return ErrorKind.TLS, str(error)
        case AnswerTooBig():
            return ErrorKind.TOO_BIG, str(error)
        case TimeoutError():
            return ErrorKind.TIMEOUT, f"The server {host} did not answer in time."
        case ssl.SSLError() if not reached:
            return ErrorKind.TLS, _tls_sentence(error, host)
        case OSError() | http.client.IncompleteRead():
            return _connection_error(error, host, reached=reached)
        case http.client.HTTPException():
            return ErrorKind.BAD_ANSWER, f"The server {host} did not answer in HTTP."
    return None


def _tls_sentence(error: ssl.SSLError, host: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of {host} is not accepted: {error.verify_message.rstrip('.')}."
    return f"No secure connection to {host} could be made: {error.reason or 'TLS failed'}."


def _connection_error(error: Exception, host: str, *, reached: bool) -> tuple[ErrorKind, str]:
    if reached:
        return (ErrorKind.RESET, f"The server {host} ended the connection before its answer was complete.")
    reason = getattr(error, "strerror", None) or "the connection was refused or dropped"
    return ErrorKind.CONNECT, f"The server {host} cannot be reached: {reason}."
