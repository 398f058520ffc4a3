"""The main pages of the demo world: queries and milliseconds on the server, bytes of a first load over the wire."""

from __future__ import annotations

import time
from io import StringIO

from django.core.management import call_command

from bench import pages
from bench.meter import Meter, machine
from bench.pages import Page, Timing
from bench.report import Goal, Result, Row, drifted
from bench.stand import Stand, stand
from vaultadmin.models import User
from vaultadmin.site.demo import world
from vaultadmin.static_files import collect_if_changed

QUERIES, MILLISECONDS, BYTES = 8, 60, 250_000

_VAULT = f"/v/{world.ECOA_VAULT}"
# A page nobody designed: the same middleware, no work.
_EMPTY = Page("empty answer", "/healthz", ("ok",))
PAGES = (
    Page("home", f"{_VAULT}/", ("Clinical Operations",)),
    Page("connections list", f"{_VAULT}/admin/connections/", ("clinops_edc", world.ECOA_CONNECTION)),
    Page("connection record", f"{_VAULT}/admin/connections/clinops_edc/", ("Clinical Operations to EDC",)),
    Page(
        "site page",
        f"{_VAULT}/ecoa/studies/{world.STUDY_ID}/sites/{world.COORDINATOR_SITE}/",
        (f"{world.COORDINATOR_SITE}-001",),
    ),
)


def run(*, full: bool) -> Result:
    """Everything on the demo world as `make run` loads it."""
    with stand() as ground:
        collect_if_changed()
        call_command("demo", stdout=StringIO())
        return measure(ground, PAGES, requests=200 if full else 40)


def measure(ground: Stand, wanted: tuple[Page, ...], *, requests: int) -> Result:
    """Time and queries through the stack, then bytes through the product's web server."""
    started = time.monotonic()
    client = pages.client_of(User.objects.get(email=world.ADMIN.email))
    with Meter() as meter:
        before = pages.timing(client, _EMPTY, requests=requests)
        timings = {page: pages.timing(client, page, requests=requests) for page in wanted}
        after = pages.timing(client, _EMPTY, requests=requests)
    ground.start_web()
    loads = {page: pages.first_load(client, page) for page in wanted}
    slowest = max(timing.p50 for timing in timings.values())
    limit = (before.p50 + after.p50) / 2
    return Result(
        name="page_budget",
        value=slowest,
        unit="ms",
        limit=limit,
        ratio=slowest / limit,
        ratios={page.name: timing.p50 / limit for page, timing in timings.items()},
        n=requests,
        seconds=time.monotonic() - started,
        machine=machine(meter.foreign),
        rows=[
            _row(_EMPTY, before),
            *(_row(page, timing, loads[page]) for page, timing in timings.items()),
            _row(_EMPTY, after),
        ],
        goals=[
            Goal("most queries of a page", max(each.queries for each in timings.values()), QUERIES, True, counted=True),
            Goal("slowest page, p50 milliseconds", slowest, MILLISECONDS, True),
            Goal(
                "largest first load, bytes",
                max(sum(each.values()) for each in loads.values()),
                BYTES,
                True,
                counted=True,
            ),
        ],
        invalid=drifted(before.milliseconds, after.milliseconds),
    )


def _row(page: Page, timing: Timing, load: dict[str, int] | None = None) -> Row:
    parts = ", ".join(f"{kind} {size / 1000:.1f} kB" for kind, size in (load or {}).items())
    return Row(page.name, timing.milliseconds, "ms", f"{timing.queries} queries{'; ' + parts if parts else ''}")
