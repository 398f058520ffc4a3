"""Questions of the pages of replays."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from connections.constants import GIVEN_UP
from connections.models import Replay, ReplayItem, ReplayItemState
from vaultadmin.models import Membership


@dataclass(frozen=True)
class Part:
    """How many messages of a plan share something: a reason, a place, an outcome."""

    name: str
    number: int
    detail: str = ""


def replays(member: Membership) -> QuerySet[Replay]:
    """Visible replays; pages order them by key."""
    rows: QuerySet[Replay] = Replay.objects.visible_to(member)
    return rows


def left_out(replay: Replay) -> list[Part]:
    """Codes of why messages of the plan are not sent, the most frequent first."""
    rows = replay.items.filter(state__in=[ReplayItemState.EXCLUDED, ReplayItemState.SKIPPED])
    found = rows.values("reason").annotate(number=Count("pk")).order_by("-number", "reason")
    return [Part(row["reason"], row["number"]) for row in found]


def places(replay: Replay) -> list[Part]:
    """Through which queue and connection how many messages of the plan go."""
    rows = replay.items.exclude(state=ReplayItemState.EXCLUDED)
    found = rows.values("copy__queue__label", "copy__connection__name").annotate(number=Count("pk"))
    ordered = found.order_by("-number", "copy__queue__label", "copy__connection__name")
    return [Part(row["copy__queue__label"], row["number"], row["copy__connection__name"] or "—") for row in ordered]


def outcomes(replay: Replay) -> dict[str, int]:
    """What became of the new messages so far, by their states."""
    rows = replay.items.filter(again__isnull=False).values("again__state").annotate(number=Count("pk"))
    return {row["again__state"]: row["number"] for row in rows}


def failures(replay: Replay) -> QuerySet[ReplayItem]:
    """What was sent again in vain, or not at all though it was planned, in the order of the plan."""
    rows = replay.items.select_related("copy", "again", "copy__connection")
    failed = rows.filter(again__state__in=GIVEN_UP)
    return (failed | rows.filter(state=ReplayItemState.SKIPPED)).order_by("pk")
