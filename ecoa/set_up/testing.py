"""The test of a set-up: find each site, sign in to each region, and read a participant that cannot exist.

Nothing is written in eCOA. The secret goes to trusted regions only, and no answer's body is kept.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

from ecoa.client import Credentials, EcoaError, MyVeevaClient, Refused, SignInRefused, Unreadable
from ecoa.client import errors as codes
from ecoa.client.api import Transport
from ecoa.client.types import Token
from ecoa.set_up import meanings
from vaultadmin.outbound import Answer, ErrorKind

DEADLINE = 10.0
# Beyond these a test would take minutes; the first run tells about the others.
MOST_SITES = 10
_KINDS = {
    ErrorKind.DNS: meanings.DNS,
    ErrorKind.CONNECT: meanings.CONNECT,
    ErrorKind.TLS: meanings.TLS,
    ErrorKind.TIMEOUT: meanings.TIMEOUT,
    ErrorKind.RESET: meanings.RESET,
    ErrorKind.BAD_ANSWER: codes.UNREADABLE,
    ErrorKind.TOO_BIG: codes.UNREADABLE,
    ErrorKind.REDIRECT: meanings.REDIRECT,
}
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Question:
    """What is tested: an address, credentials, a study and its sites."""

    base_url: str
    version: str
    credentials: Credentials
    study: str
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the test. `code` is empty when it went as hoped; `detail` is for support and free of secrets."""

    name: str
    about: str
    code: str
    milliseconds: int
    detail: str = ""

    def as_row(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "name": self.name,
            "about": self.about,
            "code": self.code,
            "milliseconds": self.milliseconds,
            "detail": self.detail[:300],
        }


class Listening:
    """A transport that remembers its last answer, so that a failure can be told apart by its kind."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.last: Answer | None = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
        allow_hosts: Collection[str] | None = None,
    ) -> Answer:
        """As the door it wraps."""
        self.last = None
        self.last = await self._transport.send(
            method, url, body=body, headers=headers, deadline=deadline, allow_hosts=allow_hosts
        )
        return self.last


@dataclass
class Tester:
    """Runs the calls one after another and keeps what came of each."""

    question: Question
    transport: Transport
    region_allowed: Callable[[str], bool]
    steps: list[Step] = field(default_factory=list)

    async def run(self) -> bool:
        """Do every step that can be done; whether all went as hoped."""
        self._line = Listening(self.transport)
        self._client = MyVeevaClient(self._line, region_allowed=self.region_allowed, version=self.question.version)
        regions: dict[str, str] = {}
        for site in self.question.sites[:MOST_SITES]:
            region = await self._try("discover", f"Site {site}", partial(self._discover, site))
            if region is not None:
                regions.setdefault(region, site)
        for region, site in regions.items():
            token = await self._try("authorize", region, partial(self._authorize, region))
            if token is not None:
                await self._try("read", f"Site {site}", partial(self._read, region, token, site))
        return bool(self.steps) and not any(step.code for step in self.steps)

    async def _discover(self, site: str) -> str:
        asked = self.question
        return await self._client.discover(
            asked.base_url, system_id=asked.credentials.system_id, study=asked.study, site=site, deadline=DEADLINE
        )

    async def _authorize(self, region: str) -> Token:
        return await self._client.authorize(region, credentials=self.question.credentials, deadline=DEADLINE)

    async def _read(self, region: str, token: Token, site: str) -> bool:
        """A read of an ID made up here: the only good answer is that nobody has it."""
        try:
            await self._client.get_participant(
                region, token, study=self.question.study, site=site, internal_id=str(uuid4()), deadline=DEADLINE
            )
        except Refused as refused:
            if refused.code == codes.PARTICIPANT_NOT_FOUND:
                return True
            raise
        except SignInRefused as refused:
            refused.code = meanings.SIGN_IN_TOKEN
            raise
        raise Refused("A participant was found for an ID nobody has.", code=meanings.FOUND)

    async def _try(self, name: str, about: str, call: Callable[[], Awaitable[_Result]]) -> _Result | None:
        began = time.monotonic()
        result, code, detail = None, "", ""
        try:
            result = await call()
        except EcoaError as error:
            code, detail = self._code(error), error.detail
        self.steps.append(Step(name, about, code, round((time.monotonic() - began) * 1000), detail))
        return result

    def _code(self, error: EcoaError) -> str:
        """The most telling name of a failure: how the line broke, a web page, or eCOA's own code."""
        answer = self._line.last
        if isinstance(error, Unreadable) and answer is not None and answer.body.lstrip()[:1] == b"<":
            return meanings.HTML
        broken = answer is not None and (answer.status is None or answer.kind is ErrorKind.REDIRECT)
        kind = answer.kind if answer is not None and broken else None
        return _KINDS.get(kind, error.code) if kind is not None else error.code
