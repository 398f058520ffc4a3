"""Reading one step's participants from eCOA: asynchronous, bounded by calls and time, without a database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ecoa.client import Busy, Caches, EcoaError, MyVeevaClient, SingleFlight, StudySession, Transport, Unreachable
from ecoa.models import DiscrepancyKind
from ecoa.radar.judging import Look, Owned, Says, judge, judge_refusal
from ecoa.radar.policy import RadarPolicy
from ecoa.sync import resolving
from ecoa.sync.carrier import Route, allowed_region
from ecoa.sync.carrying import Lease
from ecoa.sync.pacing import Breaker
from ecoa.sync.resolving import Reading
from vaultadmin.outbound import Answer, AsyncDoor

_caches = Caches()


class BudgetSpent(Unreachable):
    """The calls set aside for this step are used up; nothing was sent."""


class Counted:
    """A transport that makes at most `limit` calls."""

    def __init__(self, transport: Transport, *, limit: int) -> None:
        self._transport, self._limit = transport, limit
        self.made = 0

    async def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        deadline: float = 30.0,
        allow_hosts: Collection[str] | None = None,
    ) -> Answer:
        """Send one call, or raise BudgetSpent before it leaves."""
        if self.made >= self._limit:
            raise BudgetSpent("The call budget is spent.")
        self.made += 1
        return await self._transport.send(
            method, url, body=body, headers=headers, deadline=deadline, allow_hosts=allow_hosts
        )


@dataclass(slots=True)
class Step:
    """What one step learnt: a look per participant, and the region each site was found in."""

    looks: list[Look]
    regions: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    wait: float = 0.0


def forget() -> None:
    """Drop every region and token this process holds."""
    _caches.clear()


def read(
    owned: list[Owned], route: Route, *, fresh: Collection[str], others: list[str], limit: int, policy: RadarPolicy
) -> Step:
    """Ask about every participant once; of `fresh` sites the region, too. `others` are sites of the study."""
    return asyncio.run(_read(owned, route, fresh=fresh, others=others, limit=limit, policy=policy))


async def _read(
    owned: list[Owned], route: Route, *, fresh: Collection[str], others: list[str], limit: int, policy: RadarPolicy
) -> Step:
    async with AsyncDoor(limit=_at_a_time(route, policy)) as door:
        counted = Counted(door, limit=limit)
        lease = Lease(policy.lease.total_seconds(), margin=policy.calling.lease_margin)
        reader = _Reader(_session(counted, route, lease), Breaker(policy.calling), policy, lease, others)
        for site in fresh:
            reader.session.forget_region(site)
        looks = await reader.all(owned)
    return Step(looks, reader.regions, counted.made, reader.breaker.wait)


def _at_a_time(route: Route, policy: RadarPolicy) -> int:
    """A part of what the system, the study and the region allow: runs of other studies draw from the same."""
    allowed = min([route.region_calls, *(pool.cap for pool in route.pools)])
    return max(1, min(policy.concurrency, allowed // policy.part))


def _session(transport: Transport, route: Route, lease: Lease) -> StudySession:
    return StudySession(
        MyVeevaClient(transport, region_allowed=allowed_region, version=route.api_version),
        base_url=route.base_url,
        credentials=route.credentials,
        study=route.study,
        fixed_region=route.fixed_region,
        caches=_caches,
        flights=SingleFlight(now=time.monotonic),
        time_left=lease.left,
    )


@dataclass
class _Reader:
    """One step under way. A site or a study that is refused once is not asked about again within it."""

    session: StudySession
    breaker: Breaker
    policy: RadarPolicy
    lease: Lease
    others: list[str]
    regions: dict[str, str] = field(default_factory=dict)
    refused: dict[str, Look] = field(default_factory=dict)
    study_refused: bool = False
    spent: bool = False

    async def all(self, owned: list[Owned]) -> list[Look]:
        looks: list[Look | None] = [None] * len(owned)
        waiting = iter(enumerate(owned))

        async def look_at_next() -> None:
            for place, one in waiting:
                looks[place] = await self._look(one)

        await asyncio.gather(*(look_at_next() for _ in range(min(len(owned), self.policy.concurrency))))
        return [look or Look(one, Says.UNTRIED) for look, one in zip(looks, owned, strict=True)]

    async def _look(self, owned: Owned) -> Look:
        if self.breaker.is_open or self.spent or self.study_refused or self.lease.left() < 1.0:
            return Look(owned, Says.UNTRIED)
        if owned.site in self.refused:
            known = self.refused[owned.site]
            return Look(owned, known.says, kind=known.kind, code=known.code, detail=known.detail)
        kept: list[Reading] = []
        look = Look(owned, Says.UNTRIED)
        for _ in range(self.policy.tries):
            try:
                look = await self._judged(owned, kept)
            except BudgetSpent:
                self.spent = True
                return Look(owned, Says.UNTRIED)
            except EcoaError as error:
                self.breaker.note(error)
                look = judge_refusal(owned, error)
                if not error.retryable or isinstance(error, Busy) or self.breaker.is_open:
                    break
            else:
                self.breaker.note(None)
                break
        look.readings = kept
        self._remember(look)
        return look

    async def _judged(self, owned: Owned, kept: list[Reading]) -> Look:
        """A difference counts only when a second look finds it, too."""
        self.regions[owned.site] = await self.session.region(owned.site)
        look = await self._once(owned, kept)
        if look.says is not Says.DIFFERS:
            return look
        again = await self._once(owned, kept)
        if again.says is Says.DIFFERS and again.kind == DiscrepancyKind.MISSING:
            await self._find_elsewhere(again, kept)
        return again

    async def _once(self, owned: Owned, kept: list[Reading]) -> Look:
        reading = await resolving.ask(self.session, site=owned.site, internal_id=owned.internal_id, kept=kept)
        look = judge(owned, reading.found)
        reading.verdict = resolving.CONFIRMED if look.says is Says.AGREES else resolving.DIFFERS
        return look

    async def _find_elsewhere(self, look: Look, kept: list[Reading]) -> None:
        """Where did it go? Asked of a few other sites of the study; an answer that fails leaves it "missing"."""
        owned = look.owned
        for site in [other for other in self.others if other != owned.site][: self.policy.elsewhere]:
            try:
                region = await self.session.region(site)
                reading = await resolving.ask(self.session, site=site, internal_id=owned.internal_id, kept=kept)
            except BudgetSpent:
                return
            except EcoaError:
                continue
            reading.verdict = resolving.DIFFERS
            if reading.found is None:
                continue
            look.their_value, look.their_my_id = reading.found.participant_id, reading.found.my_veeva_participant_id
            ours = self.regions[owned.site]
            look.our_place, look.their_place = _place(owned.site, ours), _place(site, region)
            look.detail = f"eCOA holds this participant at site {site[:100]}."
            if region != ours:
                look.kind = DiscrepancyKind.REGION_MOVED.value
                look.detail = f"eCOA holds this participant at site {site[:100]}, in the region {region[:200]}"
            return

    def _remember(self, look: Look) -> None:
        if look.says is Says.SITE:
            self.refused[look.owned.site] = look
        self.study_refused = self.study_refused or look.says is Says.STUDY


def _place(site: str, region: str) -> str:
    return f"Site {site[:100]} ({region[:300]})"
