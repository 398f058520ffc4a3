"""The one way a resource of the Vault REST API is made: `@endpoint("GET", needs=Permission.…)`.

It reads who calls and with which Client ID, keeps the pace, filters, checks the permission, gives every outcome its
envelope and headers, and writes the usage log. The resource itself only answers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
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
from vaultadmin.rest import envelope, recording
from vaultadmin.rest.admission import Rules, SignIn, admit
from vaultadmin.rest.call import Call, addressed_vault
from vaultadmin.rest.client_ids import read as read_client_id
from vaultadmin.rest.envelope import ErrorType, Failure

logger = structlog.get_logger(__name__)
Work = Callable[..., dict[str, Any] | HttpResponseBase]
View = Callable[..., HttpResponseBase]


def endpoint(
    *methods: str, sign_in: SignIn = SignIn.REQUIRED, filtered: bool = True, needs: Permission | None = None
) -> Callable[[Work], View]:
    """Turn `work(call, **names)` into a view. It returns the keys of a SUCCESS answer, or a response of its own.

    `filtered=False` exempts from Client ID Filtering; `needs` is asked besides `API: Access API`.
    """
    rules = Rules(methods, sign_in, filtered, needs)

    def decorate(work: Work) -> View:
        @csrf_exempt
        @requires(Gate.MACHINE)
        @wraps(work)
        def view(
            request: HttpRequest, vault_id: int | str | None = None, version: str = "", **names: Any
        ) -> HttpResponseBase:
            number = int(vault_id) if vault_id is not None else None
            call = Call(request=request, now=clock.now(), version=version, path_vault_id=number)
            return _finish(call, lambda: _answer(call, rules, work, names))

        return view

    return decorate


def _answer(call: Call, rules: Rules, work: Work, names: dict[str, Any]) -> HttpResponseBase:
    if call.request.method not in rules.methods:
        raise Failure(ErrorType.METHOD_NOT_SUPPORTED, f"Use {' or '.join(rules.methods)} here.")
    call.client = read_client_id(call.request)
    call.go_to(addressed_vault(call))
    if rules.sign_in is not SignIn.OWN:
        admit(call, rules)
    result = work(call, **names)
    return envelope.success(result) if isinstance(result, dict) else result


def _finish(call: Call, work: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Every outcome as an answer with its headers, and one row in the usage log."""
    status, error_type, message = envelope.Status.SUCCESS, "", ""
    response: HttpResponseBase
    try:
        response = work()
    except (Failure, PermissionRefused, SuspiciousOperation, BadRequest) as error:
        failure = _as_failure(error)
        status, error_type, message = envelope.Status.FAILURE, failure.type, failure.message
        response = envelope.failure(failure)
    except Exception as error:
        # An error nobody foresaw: the log tells it under the id the caller gets, too.
        logger.exception("rest_call_failed", execution_id=str(call.execution_id))
        status, error_type = envelope.Status.EXCEPTION, ErrorType.UNEXPECTED_ERROR
        message = f"Unexpected error (execution ID {call.execution_id})."
        response = envelope.exception(message, retry=isinstance(error, OperationalError | InterfaceError))
    recording.set_headers(call, response, status)
    recording.log(call, response, recording.Outcome(status, error_type, message))
    return response


def _as_failure(error: Exception) -> Failure:
    if isinstance(error, Failure):
        return error
    if isinstance(error, PermissionRefused):
        return Failure(ErrorType.INSUFFICIENT_ACCESS, str(error))
    return Failure(ErrorType.INVALID_DATA, "The request cannot be read.")


@endpoint("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", sign_in=SignIn.NONE, filtered=False)
def nowhere(call: Call, **_names: str) -> HttpResponse:
    """Anything below the API's address that is no resource of it."""
    raise Failure(ErrorType.MALFORMED_URL, "There is no such resource.")
