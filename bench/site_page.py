"""The page of one site: does it cost the same for 100,000 participants as for 100?"""

from __future__ import annotations

import time
from urllib.parse import urlencode

from bench import lists, pages, world
from bench.meter import Meter, machine
from bench.pages import Page, Timing
from bench.report import Goal, Result, Row, drifted
from bench.stand import stand
from bench.world import World
from ecoa.models import Site
from vaultadmin.static_files import collect_if_changed

SMALL, BIG = 100, 100_000
GROWTH, QUERIES = 1.5, 8
_EMPTY = Page("empty answer", "/healthz", ("ok",))


def run(*, full: bool) -> Result:
    """The small site alone, then the big one beside it in the same tables."""
    collect_if_changed()
    return measure(SMALL, BIG, requests=100 if full else 30)


def measure(small: int, big: int, *, requests: int) -> Result:
    """Each page shows fifty participants at both sites; the figure is the first page of the big one."""
    started = time.monotonic()
    with stand():
        place = world.make()
        client = pages.client_of(place.manager.user)
        timings: dict[int, dict[str, Timing]] = {}
        with Meter() as meter:
            before = pages.timing(client, _EMPTY, requests=requests)
            for site, size in zip(place.sites, (small, big), strict=False):
                lists.fill(place, site, size)
            shell = pages.timing(client, _shell(place), requests=requests)
            for site, size in zip(place.sites, (small, big), strict=False):
                wanted = site_pages(place, site, size)
                timings[size] = {page.name: pages.timing(client, page, requests=requests) for page in wanted}
            after = pages.timing(client, _EMPTY, requests=requests)
    growth = {name: timings[big][name].p50 / timings[small][name].p50 for name in timings[big]}
    first = timings[big]["first page"].p50
    own_queries = max(timing.queries for timing in timings[big].values()) - shell.queries
    return Result(
        name="site_page",
        value=first,
        unit="ms",
        limit=timings[small]["first page"].p50,
        ratio=growth["first page"],
        ratios=growth,
        n=big,
        seconds=time.monotonic() - started,
        machine=machine(meter.foreign),
        rows=[
            *(_row(name, size, timing) for size in (small, big) for name, timing in timings[size].items()),
            Row("the shell alone", shell.milliseconds, "ms", f"{shell.queries} queries"),
            Row("empty answer", [*before.milliseconds, *after.milliseconds], "ms", "same middleware, no work"),
        ],
        goals=[
            *(Goal(f"{name}, {big:,} ÷ {small:,} participants", growth[name], GROWTH, at_most=True) for name in growth),
            Goal("queries beyond the shell", own_queries, QUERIES, at_most=True, counted=True),
        ],
        invalid=drifted(before.milliseconds, after.milliseconds),
    )


def site_pages(place: World, site: Site, size: int) -> list[Page]:
    """The page as it opens, further down, filtered, and searched by the beginning of the ID."""
    middle = f"{site.number}-{size * 4 // 10:07}"
    return [
        _page(place, site, "first page", {}, f"{site.number}-0000001"),
        _page(place, site, "further down", {"after": middle}, f"{site.number}-{size * 4 // 10 + 1:07}"),
        _page(place, site, "in eCOA", {"state": "synced"}, f"{site.number}-0000001"),
        _page(place, site, "search by prefix", {"q": "0000"}, f"{site.number}-0000050"),
    ]


def _page(place: World, site: Site, name: str, query: dict[str, str], shown: str) -> Page:
    path = f"/v/{place.manager.vault_id}/ecoa/studies/{place.mapping.external_study_id}/sites/{site.number}/"
    return Page(name, f"{path}?{urlencode(query)}", (f">{shown}<",))


def _shell(place: World) -> Page:
    return Page("shell", f"/v/{place.manager.vault_id}/ecoa/cards/", ("What the messages mean",))


def _row(name: str, size: int, timing: Timing) -> Row:
    note = f"{timing.queries} queries, {timing.size / 1000:.0f} kB"
    return Row(f"{name}, {size:,} participants", timing.milliseconds, "ms", note)
