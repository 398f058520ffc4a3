"""What every call leaves behind: response headers (veeva-core 15.4) and a row of the usage log (10.2)."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http.response import HttpResponseBase

from vaultadmin.models import ApiUsage
from vaultadmin.rest.call import Call
from vaultadmin.rest.envelope import Status

logger = structlog.get_logger(__name__)
_PREFIX = "X-VaultAPI-"
_VERSION = re.compile(r"^/?(?:v/[^/]+/)?api/(?:<[^>]*version>)?")


@dataclass(frozen=True)
class Outcome:
    """How a call ended."""

    status: Status
    error_type: str = ""
    message: str = ""


def set_headers(call: Call, response: HttpResponseBase, status: Status) -> None:
    """The headers every answer carries, and those that only some do."""
    remaining = call.burst.remaining if call.burst else settings.API_BURST_LIMIT
    values = {
        "ExecutionId": str(call.execution_id),
        "Status": status.value,
        "BurstLimit": str(call.burst.limit if call.burst else settings.API_BURST_LIMIT),
        "BurstLimitRemaining": str(remaining),
        "VaultId": str(call.vault.pk) if call.vault and call.caller else "",
        "UserId": str(call.caller.member.user_id) if call.caller else "",
        "TruncatedSessionId": call.caller.hint if call.caller else "",
        "ResponseDelay": str(call.delay) if call.delay else "",
        "ReferenceId": call.reference,
        "Connection": call.connection.api_name if call.connection else _own_connection(call),
    }
    for name, value in values.items():
        if value:
            response[_PREFIX + name] = value


def log(call: Call, response: HttpResponseBase, outcome: Outcome) -> None:
    """One row. The answer is ready by now, so a log that cannot be written is told to the operator, not the caller."""
    try:
        _row(call, response, outcome).save(force_insert=True)
    except DatabaseError:
        logger.exception("api_usage_not_logged", execution_id=str(call.execution_id))


def _row(call: Call, response: HttpResponseBase, outcome: Outcome) -> ApiUsage:
    caller = call.caller
    return ApiUsage(
        vault=call.vault,
        at=call.now,
        session_id=caller.hint if caller else "",
        user_id=caller.member.user_id if caller else None,
        username=_text(caller.member.user.email if caller else call.typed_name, 255),
        http_method=_text(call.request.method or "", 16),
        endpoint=_text(call.request.path_info, 500),
        http_response_status=response.status_code,
        api_version=_text(call.version, 16),
        api_response_status=outcome.status,
        api_response_error_type=outcome.error_type,
        api_response_error_message=_text(outcome.message, 500),
        execution_id=call.execution_id,
        client_id=call.client.logged,
        client_ip=_text(call.address, 45),
        burst_limit_remaining=call.burst.remaining if call.burst else settings.API_BURST_LIMIT,
        duration=int((time.perf_counter() - call.began) * 1000),
        response_delay=call.delay,
        connection=call.connection.api_name if call.connection else _own_connection(call),
        api_resource=_text(_resource(call), 200),
        reference_id=call.reference,
    )


def _own_connection(call: Call) -> str:
    """The connection a session was made for; calls of peers carry no Client ID."""
    session = call.caller.session if call.caller else None
    return session.connection if session else ""


def _resource(call: Call) -> str:
    """The pattern of the address below the version."""
    match = call.request.resolver_match
    return _VERSION.sub("", match.route) if match else ""


def _text(value: str, longest: int) -> str:
    """What a caller sent, as the database can keep it."""
    return value.encode("utf-8", "replace").decode().replace("\x00", "�")[:longest]
