"""The service over HTTP: reads the request, names the call, and gives every outcome its envelope and status."""

import time
from collections.abc import Callable, Iterator
from functools import wraps
from math import ceil
from uuid import uuid4

import structlog
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from ecoa import contract
from ecoa.contract import Code
from ecoa.contract.openapi import document
from ecoa.service import calls
from ecoa.service.faults import SpoiledReply
from ecoa.service.models.faults import FaultKind
from ecoa.service.refusals import Refusal
from vaultadmin import clock
from vaultadmin.access import Gate, requires

logger = structlog.get_logger(__name__)
JSON = "application/json"
_HTML_PAGE = b"<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>"
_DRIPS = 20

Call = Callable[..., bytes]
View = Callable[..., HttpResponseBase]


def _endpoint(*methods: str) -> Callable[[Call], View]:
    """Turn a function that returns answer bytes into a view for `methods`, for machines only."""

    def decorate(call: Call) -> View:
        @csrf_exempt
        @requires(Gate.MACHINE)
        @wraps(call)
        def view(request: HttpRequest, **names: str) -> HttpResponseBase:
            if request.method not in methods:
                return _not_allowed(methods)
            return _answer(lambda: call(request, **names))

        return view

    return decorate


@_endpoint("POST")
def discover(request: HttpRequest, version: str) -> bytes:
    return calls.discover(
        version=version,
        raw=_body(request),
        address=_address(request),
        origin=f"{request.scheme}://{request.get_host()}",
    )


@_endpoint("POST")
def authorize(request: HttpRequest, region: str, version: str) -> bytes:
    return calls.authorize(
        region=region, version=version, raw=_body(request), address=_address(request), now=clock.now()
    )


@_endpoint("GET", "POST")
def participant(request: HttpRequest, **names: str) -> bytes:
    target = calls.Target(**names)
    caller = calls.Caller(request.META.get("HTTP_AUTHORIZATION", ""), _address(request))
    if request.method == "GET":
        return calls.read_participant(target=target, caller=caller, internal_id=_internal_id(request))
    return calls.write_participant(target=target, caller=caller, raw=_body(request), now=clock.now())


@csrf_exempt
@requires(Gate.MACHINE)
def openapi(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document of the service; it holds nothing that needs a sign-in."""
    if request.method != "GET":
        return _not_allowed(("GET",))
    return _json(document())


@csrf_exempt
@requires(Gate.MACHINE)
def nowhere(request: HttpRequest) -> HttpResponse:
    """Anything else below the service's address: the envelope, and never a redirect."""
    return _failure(Code.NOT_FOUND, "No such resource", status=404)


def _answer(work: Callable[[], bytes]) -> HttpResponseBase:
    """Every outcome of a call as a response. An error nobody foresaw is logged under an id the caller gets too."""
    try:
        return _json(work())
    except contract.InvalidRequest as error:
        return _failure(Code.INVALID_DATA, str(error), status=400)
    except Refusal as refusal:
        return _failure(refusal.code, refusal.reason, status=refusal.status)
    except SpoiledReply as spoiled:
        return _spoiled(spoiled)
    except SuspiciousOperation:
        return _failure(Code.INVALID_DATA, "the request cannot be read", status=400)
    except Exception:
        error_id = uuid4().hex[:12]
        logger.exception("ecoa_service_failed", error_id=error_id)
        return _failure(Code.UNEXPECTED, f"Unexpected error (reference {error_id})", status=500)


def _json(body: bytes, *, status: int = 200) -> HttpResponse:
    """An answer that announces its length: callers keep their connection and know when it is whole."""
    return HttpResponse(body, status=status, content_type=JSON, headers={"Content-Length": str(len(body))})


def _failure(code: Code, reason: str, *, status: int) -> HttpResponse:
    response = _json(contract.write_failure(code, reason), status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def _not_allowed(methods: tuple[str, ...]) -> HttpResponse:
    response = _failure(Code.NOT_FOUND, "Method not allowed", status=405)
    response["Allow"] = ", ".join(methods)
    return response


def _body(request: HttpRequest) -> bytes:
    """The raw body. What is announced larger than any message of the contract is not read at all."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdecimal() or int(announced) > contract.BODY_MAX:
        raise contract.InvalidRequest(f"the body must not be larger than {contract.BODY_MAX} bytes")
    return request.body


def _internal_id(request: HttpRequest) -> str | None:
    values = request.GET.getlist("internalId")
    if len(values) > 1:
        raise contract.InvalidRequest("internalId must be given once")
    return values[0] if values else None


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _spoiled(spoiled: SpoiledReply) -> HttpResponseBase:
    kind, body, seconds = spoiled.fault.kind, spoiled.body or b"", spoiled.fault.hold_seconds
    if kind is FaultKind.HTML:
        return HttpResponse(_HTML_PAGE, status=502, content_type="text/html")
    if kind is FaultKind.RATE_LIMIT:
        return _come_again(seconds)
    if kind is FaultKind.HANG:
        time.sleep(seconds)
        return _json(body)
    if kind is FaultKind.SLOW_BODY:
        return _dripped(body, seconds)
    return _cut_off(body[: len(body) // 2], promised=len(body) or 1)


def _come_again(seconds: float) -> HttpResponse:
    response = _failure(Code.UNEXPECTED, "Too many requests", status=429)
    response["Retry-After"] = str(max(1, ceil(seconds)))
    return response


def _dripped(body: bytes, seconds: float) -> StreamingHttpResponse:
    """The whole answer, a few bytes at a time with equal waits between."""
    step = ceil(len(body) / _DRIPS)

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), step):
            time.sleep(seconds / _DRIPS)
            yield body[start : start + step]

    return StreamingHttpResponse(pieces(), content_type=JSON, headers={"Content-Length": str(len(body))})


def _cut_off(part: bytes, *, promised: int) -> StreamingHttpResponse:
    """Fewer bytes than promised, from an iterator: the server then ends the connection instead of waiting."""

    def pieces() -> Iterator[bytes]:
        yield part

    return StreamingHttpResponse(pieces(), content_type=JSON, headers={"Content-Length": str(promised)})
