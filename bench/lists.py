"""The participants list of a site: does a page of a million-row list cost what a page of ten thousand costs?"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from urllib.parse import urlencode

from django.db import connection

from bench import fresh, pages, world
from bench.errors import BenchError
from bench.meter import Meter, machine
from bench.pages import Page, Timing
from bench.report import Goal, Result, Row, drifted
from bench.stand import stand
from bench.world import World
from ecoa.models import Participant, Site, SiteTally
from vaultadmin.static_files import collect_if_changed

SMALL, QUICK, FULL = 10_000, 200_000, 1_000_000
GROWTH, PEER = 1.5, 15
PAGE_ROWS = 50
_EMPTY = Page("empty answer", "/healthz", ("ok",))
# Of every two hundred participants three are refused, one is not known and six still wait.
_STATUS = (
    "CASE WHEN n %% 200 IN (3, 4, 5) THEN 'rejected' WHEN n %% 200 = 7 THEN 'unknown'"
    " WHEN n %% 200 BETWEEN 11 AND 16 THEN 'waiting' ELSE 'synced' END"
)
_VALUES = {
    "status": _STATUS,
    "code": "CASE WHEN n %% 200 IN (3, 4, 5) THEN 'ID-0003' WHEN n %% 200 = 7 THEN 'VA-NO-ANSWER' ELSE '' END",
    "synced_version": f"CASE WHEN {_STATUS} = 'synced' THEN 1 ELSE 0 END",
    "in_doubt": "n %% 200 = 7",
}
_BY_HAND = f"""
SELECT id, participant_id, status, code, stage, changed_at FROM {Participant._meta.db_table}
 WHERE site_id = %s ORDER BY participant_id LIMIT {PAGE_ROWS + 1}
"""


def run(*, full: bool) -> Result:
    """The small list alone, then the big one beside it."""
    collect_if_changed()
    return measure(SMALL, FULL if full else QUICK, requests=60 if full else 25)


def measure(small: int, big: int, *, requests: int) -> Result:
    """Each page of each size, checked; the figure is the first page of the big list."""
    started = time.monotonic()
    with stand():
        place = world.make()
        client = pages.client_of(place.manager.user)
        timings: dict[int, dict[str, Timing]] = {}
        with Meter() as meter:
            before = pages.timing(client, _EMPTY, requests=requests)
            for site, size in zip(place.sites, (small, big), strict=False):
                fill(place, site, size)
                wanted = list_pages(place, site, size)
                timings[size] = {page.name: pages.timing(client, page, requests=requests) for page in wanted}
            after = pages.timing(client, _EMPTY, requests=requests)
            peer = admin_timings(site, big, requests)
            by_hand = _by_hand(site, requests)
    growth = {name: timings[big][name].p50 / timings[small][name].p50 for name in timings[big]}
    limit, first = statistics.median(by_hand), timings[big]["first page"].p50
    return Result(
        name="lists",
        value=first,
        unit="ms",
        limit=limit,
        ratio=first / limit,
        ratios={**growth, **{f"admin, {name}": peer[name].p50 / timings[big][name].p50 for name in peer}},
        n=big,
        seconds=time.monotonic() - started,
        machine=machine(meter.foreign),
        rows=[
            *(_row(name, size, timing) for size in (small, big) for name, timing in timings[size].items()),
            *(_row(f"admin, {name}", big, timing) for name, timing in peer.items()),
            Row(f"the same rows by hand, {big:,}", by_hand, "ms", "one SELECT, nothing drawn"),
            Row("empty answer", [*before.milliseconds, *after.milliseconds], "ms", "same middleware, no work"),
        ],
        goals=[
            *(Goal(f"{name}, {big:,} ÷ {small:,} rows", growth[name], GROWTH, at_most=True) for name in growth),
            *(
                Goal(f"{name}: tuned admin ÷ ours", peer[name].p50 / timings[big][name].p50, PEER, later=True)
                for name in peer
            ),
            Goal("most queries of a page", max(each.queries for each in timings[big].values()), 8, True, counted=True),
        ],
        invalid=drifted(before.milliseconds, after.milliseconds),
    )


def fill(place: World, site: Site, size: int) -> None:
    """Participants in every state; the counters kept by the trigger must have followed."""
    world.add_participants(place, [site], size, prefix=site.number, values=_VALUES)
    tally = SiteTally.objects.get(site=site)
    if tally.total != size or tally.rejected != Participant.objects.filter(site=site, status="rejected").count():
        raise BenchError(f"The counters of site {site.number} say {tally.total:,} instead of {size:,}.")


def list_pages(place: World, site: Site, size: int) -> list[Page]:
    """First page, two filters and a page far down, each with all the participants it must show."""
    deep = size * 9 // 10
    numbers = range(1, size + 1)
    return [
        _page(place, site, "first page", numbers, {}),
        _page(place, site, "filter: not accepted", (n for n in numbers if n % 200 in (3, 4, 5)), {"state": "rejected"}),
        _page(
            place,
            site,
            "filter: needs attention",
            (n for n in numbers if n % 200 in (3, 4, 5, 7)),
            {"state": "attention"},
        ),
        _page(place, site, "deep page", range(deep + 1, size + 1), {"after": _identifier(site, deep)}),
    ]


def admin_timings(site: Site, size: int, requests: int) -> dict[str, Timing]:
    """The same rows in Django's admin, in a process with settings of its own."""
    deep = size * 9 // 10
    rows = {
        "first page": (range(1, size + 1), {}),
        "filter: not accepted": (
            (n for n in range(1, size + 1) if n % 200 in (3, 4, 5)),
            {"status__exact": "rejected"},
        ),
        "deep page": (range(deep + 1, size + 1), {"p": str(deep // PAGE_ROWS + 1)}),
    }
    wanted = [
        Page(name, f"/admin/ecoa/participant/?{urlencode({'site__id__exact': site.pk} | query)}", _shown(site, numbers))
        for name, (numbers, query) in rows.items()
    ]
    answer: dict[str, Timing] = fresh.alone(
        "bench.admin_peer.timings", wanted, requests, seconds=240, settings="bench.admin_settings"
    )
    return answer


def _page(place: World, site: Site, name: str, numbers: Iterable[int], query: dict[str, str]) -> Page:
    vault, study = place.manager.vault_id, place.mapping.external_study_id
    path = f"/v/{vault}/ecoa/studies/{study}/sites/{site.number}/?{urlencode(query)}"
    return Page(name, path, _shown(site, numbers))


def _shown(site: Site, numbers: Iterable[int]) -> tuple[str, ...]:
    return tuple(f">{_identifier(site, number)}<" for number in islice(numbers, PAGE_ROWS))


def _identifier(site: Site, number: int) -> str:
    return f"{site.number}-{number:07}"


def _by_hand(site: Site, requests: int) -> Sequence[float]:
    milliseconds = []
    with connection.cursor() as cursor:
        for _ in range(requests):
            started = time.perf_counter()
            cursor.execute(_BY_HAND, [site.pk])
            cursor.fetchall()
            milliseconds.append((time.perf_counter() - started) * 1000)
    return milliseconds


def _row(name: str, size: int, timing: Timing) -> Row:
    note = f"{timing.queries} queries, {timing.size / 1000:.0f} kB, {PAGE_ROWS} participants"
    return Row(f"{name}, {size:,} rows", timing.milliseconds, "ms", note)
