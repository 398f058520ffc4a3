"""Resources whose contract is ours: `@problem_endpoint("POST", needs=Permission.…)`.

They are called with an API access token, answer with HTTP status codes, and tell what is wrong as RFC 9457 problem
JSON. Pace, Client ID Filtering, headers and usage log are those of the Vault REST API.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from vaultadmin import clock
from vaultadmin.access import Gate, requires
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.rest import credentials, recording
from vaultadmin.rest.admission import Rules, SignIn, admit
from vaultadmin.rest.call import Call, addressed_vault
from vaultadmin.rest.client_ids import read as read_client_id
from vaultadmin.rest.envelope import ErrorType, Failure, Status

logger = structlog.get_logger(__name__)
JSON = "application/json"
RETRY_SECONDS = 10
Work = Callable[..., HttpResponseBase]
View = Callable[..., HttpResponseBase]

_NOT_FOUND = "There is no such resource, or it is not yours."
_STATUS = {
    ErrorType.METHOD_NOT_SUPPORTED: HTTPStatus.METHOD_NOT_ALLOWED,
    ErrorType.INVALID_SESSION_ID: HTTPStatus.UNAUTHORIZED,
    ErrorType.INSUFFICIENT_ACCESS: HTTPStatus.FORBIDDEN,
}
_LOGGED = {status.value: error for error, status in _STATUS.items()} | {413: ErrorType.EXCEEDS_FILE_MAX_SIZE}


class Problem(Exception):
    """The call is refused: a status and one sentence about what to do; `headers` go with the answer."""

    def __init__(self, status: HTTPStatus, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def response(self) -> HttpResponse:
        """The answer."""
        body = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        response = answer(body, self.status, content_type="application/problem+json")
        for name, value in self.headers.items():
            response[name] = value
        return response


def not_found() -> Problem:
    """What is foreign and what is missing look alike (docs/decisions/0004)."""
    return Problem(HTTPStatus.NOT_FOUND, _NOT_FOUND)


def answer(body: dict[str, Any], status: HTTPStatus = HTTPStatus.OK, *, content_type: str = JSON) -> HttpResponse:
    """One JSON object that no cache on the way keeps."""
    return raw_answer(json.dumps(body, ensure_ascii=False, separators=(",", ":")), status, content_type=content_type)


def raw_answer(text: str, status: HTTPStatus, *, content_type: str = JSON) -> HttpResponse:
    """A body that is JSON already."""
    response = HttpResponse(text, status=status, content_type=content_type)
    response["Cache-Control"] = "no-store, private"
    return response


def problem_endpoint(*methods: str, needs: Permission) -> Callable[[Work], View]:
    """Turn `work(call, **names)` into a view. Anything it raises becomes a problem; `Problem` is its own words."""
    rules = Rules(methods, SignIn.REQUIRED, filtered=True, needs=needs)

    def decorate(work: Work) -> View:
        @csrf_exempt
        @requires(Gate.MACHINE)
        @wraps(work)
        def view(request: HttpRequest, vault_id: int | str, **names: Any) -> HttpResponseBase:
            call = Call(request=request, now=clock.now(), version="v1", path_vault_id=int(vault_id))
            return _finish(call, lambda: _work(call, rules, work, names))

        return view

    return decorate


def read_body(call: Call, *, most: int) -> bytes:
    """The JSON body as sent. Its announced size is judged before anything is read, and no more than that is."""
    request = call.request
    if request.content_type != JSON:
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send JSON with Content-Type: application/json.")
    too_large = Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {most // 1024 // 1024} MB.")
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not (announced.isascii() and announced.isdecimal()) or int(announced) > most:
        raise too_large
    raw: bytes = request.read(most + 1)
    if len(raw) > most:
        raise too_large
    return raw


def _work(call: Call, rules: Rules, work: Work, names: dict[str, Any]) -> HttpResponseBase:
    if call.request.method not in rules.methods:
        allowed = ", ".join(rules.methods)
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"Use {' or '.join(rules.methods)} here.", Allow=allowed)
    call.client = read_client_id(call.request)
    call.go_to(addressed_vault(call))
    _admit(call, rules)
    return work(call, **names)


def _admit(call: Call, rules: Rules) -> None:
    try:
        admit(call, rules)
    except Failure as failure:
        if failure.type is not ErrorType.INVALID_SESSION_ID:
            raise
        # Who shows a good token of another vault is not a stranger, but this vault does not exist for them.
        if credentials.is_token_of_another_vault(call):
            raise not_found() from failure
        raise _unknown() from failure
    if call.caller is None or call.caller.token is None:
        raise _unknown()


def _unknown() -> Problem:
    words = "Send an API access token of this vault: Authorization: Bearer va_…"
    return Problem(HTTPStatus.UNAUTHORIZED, words, WWW_Authenticate="Bearer")


def _finish(call: Call, work: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Every outcome as an answer with its headers, and one row in the usage log."""
    status, problem = Status.SUCCESS, None
    response: HttpResponseBase
    try:
        response = work()
    except (Problem, Failure, PermissionRefused, SuspiciousOperation, BadRequest) as error:
        status, problem = Status.FAILURE, _as_problem(error)
        response = problem.response()
    except Exception as error:
        # An error nobody foresaw: the log tells it under the id the caller gets, too.
        logger.exception("call_failed", execution_id=str(call.execution_id))
        status, problem = Status.EXCEPTION, _unforeseen(call, error)
        response = problem.response()
    recording.set_headers(call, response, status)
    recording.log(call, response, _outcome(status, problem))
    return response


def _outcome(status: Status, problem: Problem | None) -> recording.Outcome:
    if problem is None:
        return recording.Outcome(status)
    unexpected = status is Status.EXCEPTION
    error_type = ErrorType.UNEXPECTED_ERROR if unexpected else _LOGGED.get(problem.status, ErrorType.INVALID_DATA)
    return recording.Outcome(status, error_type, problem.detail)


def _as_problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, Failure):
        return Problem(_STATUS.get(error.type, HTTPStatus.BAD_REQUEST), error.message)
    if isinstance(error, PermissionRefused):
        return Problem(HTTPStatus.FORBIDDEN, str(error))
    return Problem(HTTPStatus.BAD_REQUEST, "The request cannot be read.")


def _unforeseen(call: Call, error: Exception) -> Problem:
    if isinstance(error, OperationalError | InterfaceError):
        words = "The call could not be processed now; send it again."
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, words, Retry_After=str(RETRY_SECONDS))
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"Unexpected error (execution ID {call.execution_id}).")
