"""The error tree of the client.

Three questions are answered by every error, so that the sync engine needs no table of its own: may the same call be
made again (`retryable`), may the request have taken effect although we have no answer (`outcome_unknown`), and which
code stands for it (`code`: a documented one, or one of ours beginning with VA-). The plain words for people are in
`ecoa.cards`.
"""

from __future__ import annotations

from ecoa.client.types import Stage

NO_ANSWER = "VA-NO-ANSWER"
NOT_REACHED = "VA-NOT-REACHED"
ADDRESS_REFUSED = "VA-ADDRESS"
UNREADABLE = "VA-UNREADABLE"
SERVICE_FAULT = "VA-FAULT"
BUSY = "VA-BUSY"
SIGN_IN = "VA-SIGN-IN"
REGION = "VA-REGION"
BAD_REQUEST = "VA-BAD-REQUEST"
CONFLICT = "VA-CONFLICT"
CREDENTIALS = "VA-CREDENTIALS"
PARKED = "VA-PARKED"
GAVE_UP = "VA-GAVE-UP"

UNEXPECTED_ERROR = "UE-0001"
PARTICIPANT_EXISTS = "ID-0003"
PARTICIPANT_NOT_FOUND = "NF-0004"
SITE_NOT_FOUND = "NF-0003"


class EcoaError(Exception):
    """Any failure of one call. `detail` is one sentence for support, free of secrets."""

    retryable = False
    outcome_unknown = False
    # True when the other side sent nothing we could read: counts towards the circuit breaker.
    silent = False
    # Seconds we wait before we ask again, and what eCOA had asked for; 0 where it asked for nothing.
    retry_after = 0.0
    asked = 0

    def __init__(self, detail: str, *, code: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.stage = Stage.NONE
        # What was asked and with which status it was answered, where evidence needs it.
        self.url = ""
        self.status: int | None = None


class Unreachable(EcoaError):
    """No byte of the request left us, so nothing can have happened there."""

    retryable = True
    silent = True

    def __init__(self, detail: str, *, code: str = NOT_REACHED) -> None:
        super().__init__(detail, code=code)


class AddressRefused(EcoaError):
    """Our own network door refuses the address; trying again changes nothing."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code=ADDRESS_REFUSED)


class RegionRefused(EcoaError):
    """The region named by eCOA is not one we may send a secret to (security.md F5)."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code=REGION)


class NoAnswer(EcoaError):
    """The request may have arrived; no complete answer came back."""

    retryable = True
    outcome_unknown = True
    silent = True

    def __init__(self, detail: str, *, code: str = NO_ANSWER) -> None:
        super().__init__(detail, code=code)


class Unreadable(NoAnswer):
    """An answer came that is not one of this API: HTML, cut-off or other JSON, an undocumented status."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code=UNREADABLE)


class ServiceFault(EcoaError):
    """HTTP 5xx, or the documented UE-0001: it may have taken effect before it failed."""

    retryable = True
    outcome_unknown = True

    def __init__(self, detail: str, *, code: str = SERVICE_FAULT, retry_after: float = 0.0, asked: int = 0) -> None:
        super().__init__(detail, code=code)
        self.silent = code == SERVICE_FAULT
        self.retry_after, self.asked = retry_after, asked


class Busy(EcoaError):
    """HTTP 429: not processed; come back after `retry_after` seconds."""

    retryable = True

    def __init__(self, detail: str, *, retry_after: float, asked: int = 0) -> None:
        super().__init__(detail, code=BUSY)
        self.retry_after, self.asked = retry_after, asked


class SignInRefused(EcoaError):
    """HTTP 401: system, secret, tenant, token or our address is not accepted."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code=SIGN_IN)


class Refused(EcoaError):
    """A documented failure: eCOA understood the request and said no."""

    def __init__(self, detail: str, *, code: str, error_type: str = "") -> None:
        super().__init__(detail, code=code)
        self.error_type = error_type
