"""MyVeevaClient: the four published calls, one method each.

The transport is passed in and never raises for network matters; it returns a record of what happened. Here that
record becomes one of our types or one error of `ecoa.client.errors`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from ecoa import contract
from ecoa.client import errors, jwt_age
from ecoa.client.types import Credentials, RemoteParticipant, Token
from vaultadmin.outbound import Answer, ErrorKind

CALL_DEADLINE = 20.0
RETRY_AFTER_DEFAULT = 5.0
RETRY_AFTER_MAX = 300.0
# Nobody reads more digits of a number of seconds.
_DIGITS = 15

_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_Parsed = TypeVar("_Parsed")


class Transport(Protocol):
    """The network door the client speaks through (`vaultadmin.outbound.AsyncDoor` in production)."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        deadline: float = 30.0,
        allow_hosts: Collection[str] | None = None,
    ) -> Answer: ...


class MyVeevaClient:
    """Speaks one version of the API through one transport.

    `region_allowed` judges a region URL. It is asked on what discovery answers and again right before the secret is
    posted, because that URL is an answer from outside (security.md F5). `observe` is told what came back from a region.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        region_allowed: Callable[[str], bool],
        version: str = contract.DEFAULT_VERSION,
        now: Callable[[], float] = time.time,
        observe: Callable[[str, Answer], None] = lambda _region, _answer: None,
    ) -> None:
        self._transport = transport
        self._region_allowed = region_allowed
        self._version = version
        self._now = now
        self._observe = observe

    async def discover(
        self, base_url: str, *, system_id: str, study: str, site: str, deadline: float = CALL_DEADLINE
    ) -> str:
        """The regional base URL that holds this study site; RegionRefused when it is not one we trust."""
        request = _message(
            contract.DiscoverStudySiteRequest,
            externalSystemId=system_id,
            externalStudySiteId=site,
            externalSponsorStudyId=study,
        )
        url = contract.discover_url(base_url, self._version)
        answer = await self._send("POST", url, body=contract.write(request), deadline=deadline)
        region = _read(answer, contract.read_region, self._now())
        self._trust(region)
        return region

    async def authorize(self, region: str, *, credentials: Credentials, deadline: float = CALL_DEADLINE) -> Token:
        """A bearer token for one region. The secret goes to trusted regions only."""
        self._trust(region)
        request = _message(
            contract.AuthorizeExternalRequest,
            externalSystemId=credentials.system_id,
            externalSystemSecret=credentials.secret,
            tenantId=credentials.tenant_id,
        )
        url = contract.authorize_url(region, self._version)
        answer = await self._send("POST", url, region=region, body=contract.write(request), deadline=deadline)
        value = _read(answer, contract.read_token, self._now())
        if not jwt_age.is_header_safe(value):
            raise errors.Unreadable("The token in the answer is not one that can be sent in a header.")
        return Token(value, use_until=jwt_age.use_until(value, now=self._now()))

    async def get_participant(
        self, region: str, token: Token, *, study: str, site: str, internal_id: str, deadline: float = CALL_DEADLINE
    ) -> RemoteParticipant:
        """What eCOA holds for one internalId at one site; Refused with NF-0004 when it holds nothing."""
        url = _address(contract.participant_query_url, region, study, site, internal_id, self._version)
        answer: Answer | None = None
        try:
            answer = await self._send("GET", url, region=region, token=token, deadline=deadline)
            found = _read(answer, contract.read_participant, self._now())
        except errors.EcoaError as error:
            error.url, error.status = url, answer.status if answer is not None else None
            raise
        return RemoteParticipant(found.myVeevaParticipantId, found.participantId, url, answer.status)

    async def upsert_participant(
        self,
        region: str,
        token: Token,
        *,
        study: str,
        site: str,
        participant_id: str,
        internal_id: str,
        deadline: float = CALL_DEADLINE,
    ) -> str:
        """Create or update one participant; returns its myVeevaParticipantId."""
        request = _message(
            contract.ParticipantExternalPostRequest, participantId=participant_id, internalId=internal_id
        )
        url = _address(contract.participant_url, region, study, site, self._version)
        body = contract.write(request)
        answer = await self._send("POST", url, region=region, token=token, body=body, deadline=deadline)
        return _read(answer, contract.read_participant_id, self._now())

    def _trust(self, region: str) -> None:
        if not self._region_allowed(region):
            raise errors.RegionRefused(f"The region {_host(region)} is not among the allowed eCOA hosts.")

    async def _send(
        self,
        method: str,
        url: str,
        *,
        deadline: float,
        region: str = "",
        body: bytes = b"",
        token: Token | None = None,
    ) -> Answer:
        headers = dict(_JSON) if body else {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token.value}"
        answer = await self._transport.send(method, url, body=body, headers=headers, deadline=deadline)
        self._observe(region, answer)
        if answer.status is None or (answer.kind is not None and answer.status < 400):
            raise _no_answer(answer)
        return answer


def _read(answer: Answer, parse: Callable[[int, bytes], _Parsed], now: float) -> _Parsed:
    """Parse an answer that came; every way of not being a success is an error of our tree."""
    if answer.status is None:
        raise _no_answer(answer)
    wait, asked = _retry_after(answer, now)
    if answer.status == 429:
        raise errors.Busy(
            "eCOA asked us to slow down (HTTP 429).", retry_after=wait or RETRY_AFTER_DEFAULT, asked=asked
        )
    try:
        return parse(answer.status, answer.body)
    except contract.FailureAnswer as failure:
        raise _refusal(failure) from None
    except contract.UnreadableAnswer as unreadable:
        if answer.status >= 500:
            raise errors.ServiceFault(str(unreadable), retry_after=wait, asked=asked) from None
        raise errors.Unreadable(str(unreadable)) from None


def _refusal(failure: contract.FailureAnswer) -> errors.EcoaError:
    if failure.is_unauthorized:
        return errors.SignInRefused(str(failure))
    if failure.known_code is contract.Code.UNEXPECTED:
        return errors.ServiceFault(str(failure), code=errors.UNEXPECTED_ERROR)
    if failure.status >= 500 or (not failure.code and failure.error_type == contract.ErrorType.UNEXPECTED_ERROR):
        return errors.ServiceFault(str(failure))
    return errors.Refused(str(failure), code=failure.code[:32] or errors.BAD_REQUEST, error_type=failure.error_type)


def _no_answer(answer: Answer) -> errors.EcoaError:
    """The error for a request without a complete answer, told apart by whether it may have arrived."""
    if answer.kind is ErrorKind.REFUSED_ADDRESS:
        return errors.AddressRefused(answer.error)
    if answer.kind is ErrorKind.BAD_REQUEST:
        return errors.Refused(answer.error, code=errors.BAD_REQUEST)
    if answer.kind in (ErrorKind.REDIRECT, ErrorKind.TOO_BIG):
        return errors.Unreadable(answer.error)
    if not answer.reached:
        return errors.Unreachable(answer.error)
    return errors.NoAnswer(answer.error)


def _retry_after(answer: Answer, now: float) -> tuple[float, int]:
    """The seconds we wait, bounded, and the seconds eCOA asked for; zeros when it asked for nothing we can read."""
    text = next((value for name, value in answer.headers.items() if name.lower() == "retry-after"), "").strip()
    asked = _seconds(text, now) if text else None
    if asked is None:
        return 0.0, 0
    return min(max(float(asked), 1.0), RETRY_AFTER_MAX), asked


def _seconds(text: str, now: float) -> int | None:
    """Seconds from a Retry-After header, which is a number or a date; no more than fits a database column."""
    if text.isascii() and text.isdigit():
        return int(text[:_DIGITS]) if len(text) <= _DIGITS else 10**_DIGITS
    try:
        moment = parsedate_to_datetime(text)
        return max(round(moment.timestamp() - now), 0)
    except (ValueError, OverflowError):
        return None


_Request = TypeVar("_Request", bound=BaseModel)


def _message(schema: type[_Request], **values: str) -> _Request:
    """A request of the contract; a value it cannot carry is refused here, before anything is sent."""
    try:
        return schema(**values)
    except ValidationError:
        # Not chained: the validation error repeats the values, one of which may be the secret.
        raise errors.Refused("A value does not fit the contract, so nothing was sent.", code="ID-0001") from None


def _address(build: Callable[..., str], *parts: str) -> str:
    try:
        return build(*parts)
    except contract.InvalidRequest as error:
        raise errors.Refused(str(error), code="ID-0001") from None


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "without a host")[:200]
    except ValueError:
        return "that is not a URL"
