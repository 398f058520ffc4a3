"""StudySession: the calls for one study mapping, with region and token looked after.

Finding the region (once per site), signing in (once per region) and signing in again when a token is refused happen
here; callers say which participant and read how far it got from the error's `stage`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

from ecoa.client import errors
from ecoa.client.api import CALL_DEADLINE, MyVeevaClient
from ecoa.client.caches import ExpiringStore, SingleFlight
from ecoa.client.types import Credentials, RemoteParticipant, Stage, Token

REGION_TTL = 3600.0

_Result = TypeVar("_Result")


@dataclass
class Caches:
    """What survives one session: regions by site and tokens by region, each bound to the credentials used."""

    now: Callable[[], float] = time.time
    regions: ExpiringStore[str] = field(init=False)
    tokens: ExpiringStore[Token] = field(init=False)

    def __post_init__(self) -> None:
        self.regions = ExpiringStore(now=self.now)
        self.tokens = ExpiringStore(now=self.now)

    def clear(self) -> None:
        """Forget everything."""
        self.__post_init__()


class StudySession:
    """One event loop's view of one study in eCOA.

    `fixed_region` skips discovery, as the published API allows. Sessions of one loop share `flights`. `time_left`
    says how many seconds a call may still take, so that nobody waits past the lease of the rows being worked on.
    """

    def __init__(
        self,
        client: MyVeevaClient,
        *,
        base_url: str,
        credentials: Credentials,
        study: str,
        fixed_region: str = "",
        caches: Caches | None = None,
        flights: SingleFlight | None = None,
        time_left: Callable[[], float] = lambda: CALL_DEADLINE,
    ) -> None:
        self._client = client
        self._base_url = base_url
        self._credentials = credentials
        self._study = study
        self._fixed_region = fixed_region
        self._caches = caches or Caches()
        self._time_left = time_left
        self._flights = flights or SingleFlight(now=time.monotonic)

    async def get(self, *, site: str, internal_id: str) -> RemoteParticipant:
        """Read one participant back."""
        return await self._call(
            site,
            lambda region, token: self._client.get_participant(
                region, token, study=self._study, site=site, internal_id=internal_id, deadline=self._deadline()
            ),
        )

    async def upsert(self, *, site: str, participant_id: str, internal_id: str) -> str:
        """Create or update one participant; returns its myVeevaParticipantId."""
        return await self._call(
            site,
            lambda region, token: self._client.upsert_participant(
                region,
                token,
                study=self._study,
                site=site,
                participant_id=participant_id,
                internal_id=internal_id,
                deadline=self._deadline(),
            ),
        )

    async def region(self, site: str) -> str:
        """The region of a site, asked once per site and hour."""
        if self._fixed_region:
            return self._fixed_region
        key = (self._base_url, self._credentials.system_id, self._study, site)
        kept = self._caches.regions.get(key)
        return kept if kept is not None else await self._flights.do(("region", key), lambda: self._discover(key, site))

    def forget_region(self, site: str) -> None:
        """Let the region of a site be asked for anew."""
        key = (self._base_url, self._credentials.system_id, self._study, site)
        kept = self._caches.regions.get(key)
        if kept is not None:
            self._caches.regions.drop(key, kept)

    async def token(self, region: str) -> Token:
        """A token for a region, asked once per lifetime."""
        key = self._token_key(region)
        kept = self._caches.tokens.get(key)
        return kept if kept is not None else await self._flights.do(("token", key), lambda: self._sign_in(key, region))

    async def _call(self, site: str, call: Callable[[str, Token], Awaitable[_Result]]) -> _Result:
        stage = Stage.NONE
        try:
            region = await self.region(site)
            stage = Stage.SITE_FOUND
            try:
                return await self._at(region, call)
            except errors.Refused as refused:
                moved = await self._moved(site, region, refused)
                if moved is None:
                    raise
                return await self._at(moved, call)
        except errors.EcoaError as error:
            error.stage = max(stage, error.stage)
            raise

    async def _at(self, region: str, call: Callable[[str, Token], Awaitable[_Result]]) -> _Result:
        """The call in one region, signed in."""
        stage = Stage.SITE_FOUND
        try:
            token = await self.token(region)
            stage = Stage.SIGNED_IN
            try:
                return await call(region, token)
            except errors.SignInRefused:
                return await self._call_with_new_token(region, token, call)
        except errors.EcoaError as error:
            reached = stage is Stage.SIGNED_IN and not isinstance(error, errors.Unreachable | errors.AddressRefused)
            error.stage = Stage.SENT if reached else stage
            raise

    async def _moved(self, site: str, region: str, refused: errors.Refused) -> str | None:
        """Where a site is now that the region we remember does not know; None when that is still the answer.

        Asked again once per site for all who share the flights: a site nobody knows does not cost a question for each
        participant, and a wrong answer to that question stands no longer than they do.
        """
        if self._fixed_region or refused.code != errors.SITE_NOT_FOUND:
            return None
        key = (self._base_url, self._credentials.system_id, self._study, site)
        kept = self._caches.regions.get(key)
        if kept == region:
            if not self._flights.claim(("look again", key)):
                return None
            self._caches.regions.drop(key, region)
        found = await self.region(site)
        return found if found != region else None

    async def _call_with_new_token(
        self, region: str, refused: Token, call: Callable[[str, Token], Awaitable[_Result]]
    ) -> _Result:
        """A token may have been withdrawn early: sign in once more. A second refusal stands for all who follow."""
        key = self._token_key(region)
        self._caches.tokens.drop(key, refused)
        token = await self.token(region)
        try:
            return await call(region, token)
        except errors.SignInRefused as error:
            self._caches.tokens.drop(key, token)
            self._flights.fail(("token", key), error)
            raise

    async def _discover(self, key: Hashable, site: str) -> str:
        region = await self._client.discover(
            self._base_url,
            system_id=self._credentials.system_id,
            study=self._study,
            site=site,
            deadline=self._deadline(),
        )
        self._caches.regions.put(key, region, until=self._caches.now() + REGION_TTL)
        return region

    async def _sign_in(self, key: Hashable, region: str) -> Token:
        token = await self._client.authorize(region, credentials=self._credentials, deadline=self._deadline())
        self._caches.tokens.put(key, token, until=token.use_until)
        return token

    def _token_key(self, region: str) -> Hashable:
        # The secret is part of the key: after a rotation the old token is not used again.
        held = self._credentials
        return (region, held.system_id, held.tenant_id, held.secret)

    def _deadline(self) -> float:
        left = self._time_left()
        if left < 1.0:
            raise errors.Unreachable("There was no time left for this call.")
        return min(CALL_DEADLINE, left)
