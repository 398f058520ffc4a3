"""The answers of the Vault REST API: HTTP 200 and an envelope that says how it went (veeva-core 15.1)."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from django.http import HttpResponse

JSON = "application/json;charset=UTF-8"


class Status(StrEnum):
    """`responseStatus`."""

    SUCCESS = "SUCCESS"
    WARNING = "WARNING"
    FAILURE = "FAILURE"
    EXCEPTION = "EXCEPTION"


class ErrorType(StrEnum):
    """The `type` of an error: these are contract, the messages are not."""

    UNEXPECTED_ERROR = "UNEXPECTED_ERROR"
    MALFORMED_URL = "MALFORMED_URL"
    METHOD_NOT_SUPPORTED = "METHOD_NOT_SUPPORTED"
    INACTIVE_USER = "INACTIVE_USER"
    NO_PASSWORD_PROVIDED = "NO_PASSWORD_PROVIDED"  # nosec B105 # pragma: allowlist secret
    USERNAME_OR_PASSWORD_INCORRECT = "USERNAME_OR_PASSWORD_INCORRECT"  # nosec B105 # pragma: allowlist secret
    USER_LOCKED_OUT = "USER_LOCKED_OUT"
    INVALID_SESSION_ID = "INVALID_SESSION_ID"
    PARAMETER_REQUIRED = "PARAMETER_REQUIRED"
    INVALID_DATA = "INVALID_DATA"
    ATTRIBUTE_NOT_SUPPORTED = "ATTRIBUTE_NOT_SUPPORTED"
    INSUFFICIENT_ACCESS = "INSUFFICIENT_ACCESS"
    OPERATION_NOT_ALLOWED = "OPERATION_NOT_ALLOWED"
    EXCEEDS_FILE_MAX_SIZE = "EXCEEDS_FILE_MAX_SIZE"
    API_LIMIT_EXCEEDED = "API_LIMIT_EXCEEDED"


# The types that also carry a top-level `errorType`, as a sign-in that failed does.
_AUTHENTICATION = frozenset(
    {
        ErrorType.INACTIVE_USER,
        ErrorType.NO_PASSWORD_PROVIDED,
        ErrorType.USERNAME_OR_PASSWORD_INCORRECT,
        ErrorType.USER_LOCKED_OUT,
    }
)


class Failure(Exception):
    """The caller's fault: one error type and one sentence."""

    def __init__(self, error_type: ErrorType, message: str) -> None:
        super().__init__(message)
        self.type, self.message = error_type, message


def success(values: dict[str, Any]) -> HttpResponse:
    """SUCCESS with the keys of the answer beside it."""
    return _write({"responseStatus": Status.SUCCESS, **values})


def failure(error: Failure) -> HttpResponse:
    """FAILURE with its one error."""
    body: dict[str, Any] = {
        "responseStatus": Status.FAILURE,
        "errors": [{"type": error.type, "message": error.message}],
    }
    if error.type in _AUTHENTICATION:
        body["errorType"] = "AUTHENTICATION_FAILED"
    return _write(body)


def exception(message: str, *, retry: bool = False) -> HttpResponse:
    """EXCEPTION: our fault, with the reference under which the log tells more.

    With `retry` the call was not processed because the database is away: 503, so that callers come again by themselves
    (security.md B3).
    """
    response = _write(
        {
            "responseStatus": Status.EXCEPTION,
            "errors": [{"type": ErrorType.UNEXPECTED_ERROR, "message": message}],
        }
    )
    if retry:
        response.status_code = 503
        response["Retry-After"] = "10"
    return response


def _write(body: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(json.dumps(body, ensure_ascii=False, separators=(",", ":")), content_type=JSON)
    # Sessions and people's names must not lie in a cache on the way.
    response["Cache-Control"] = "no-store, private"
    return response
