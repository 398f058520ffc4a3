"""Carrying a test out: lease the row, make the calls, keep what came of each. A tick takes over what was left."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet

from connections.services import outward
from ecoa.client import Credentials
from ecoa.models import SetUp, SetUpState, TestState
from ecoa.set_up import meanings
from ecoa.set_up.testing import MOST_SITES, Question, Step, Tester
from ecoa.sync.carrier import allowed_region
from vaultadmin import claims, clock, secrets, wake
from vaultadmin.outbound import AsyncDoor

LANE = "ecoa.set_up"
# Longer than every call of the longest test together.
LEASE = timedelta(seconds=10 * 3 * MOST_SITES + 30)
TRIES = 3


class Unusable(Exception):
    """The credentials cannot be had now; the sentence says why."""


def work(*, set_up_id: int) -> bool:
    """Make the test somebody asked for; False when it is not ours to make."""
    now = clock.now()
    rows = _waiting(now).filter(pk=set_up_id)
    running = {"test_state": TestState.RUNNING, "steps": [], "tries": F("tries") + 1}
    claim = claims.claim(rows, limit=1, lease=LEASE, now=now, **running)
    if not claim:
        return False
    found = SetUp.objects.select_related("secret", "connection__authorization__secret", "vault").get(pk=set_up_id)
    steps: list[Step] = []
    if found.tries > TRIES:
        gone = Step("test", "", meanings.BROKE_OFF, 0, f"No worker could finish it in {TRIES} attempts.")
        _settle(found, claim.token, test_state=TestState.FAILED, steps=[gone.as_row()], tested_at=now)
        return True
    try:
        question = _question(found)
    except (Unusable, outward.DestinationUnavailable, secrets.SecretUnavailable) as refusal:
        steps.append(Step("credentials", "", meanings.SECRET_GONE, 0, str(refusal)))
        passed = False
    else:
        passed, steps = asyncio.run(_run(question))
    state = TestState.PASSED if passed else TestState.FAILED
    kept = [step.as_row() for step in steps]
    _settle(found, claim.token, test_state=state, steps=kept, tested_at=clock.now())
    return True


def wake_unfinished(*, now: datetime) -> None:
    """Nudge a worker for every test nobody makes."""
    for pk in _waiting(now).values_list("pk", flat=True)[:20]:
        wake.wake(LANE, set_up_id=pk)


def _waiting(now: datetime) -> QuerySet[SetUp]:
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return SetUp.objects.filter(free, state=SetUpState.OPEN, test_state__in=["queued", "running"]).order_by("pk")


async def _run(question: Question) -> tuple[bool, list[Step]]:
    async with AsyncDoor(limit=1) as door:
        tester = Tester(question, door, allowed_region)
        return await tester.run(), tester.steps


def _question(found: SetUp) -> Question:
    if found.connection is not None:
        target = outward.destination(found.connection)
        url, system_id, secret = target.url, target.client_id, target.client_secret
    elif found.secret is not None:
        url, system_id, secret = found.base_url, found.system_id, secrets.reveal(found.secret)
    else:
        raise Unusable("There is no secret; enter it in the step Credentials.")
    if not secret or not system_id:
        raise Unusable("The connection has no Client Credential authorization.")
    credentials = Credentials(system_id, found.tenant_id, secret)
    return Question(url, found.api_version, credentials, found.external_study_id, tuple(found.site_numbers))


def _settle(found: SetUp, token: UUID, **sets: object) -> None:
    claims.settle(SetUp.objects.filter(pk=found.pk), token=token, tries=0, **sets)
