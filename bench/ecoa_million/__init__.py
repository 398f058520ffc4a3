"""Does a file a hundred times as long take a hundred times as long, and does the worker stay as small?"""

from __future__ import annotations

import time
from pathlib import Path

from django.conf import settings

from bench import environment, fresh, world
from bench.ecoa_million.journey import Journey
from bench.lean_ecoa import starting
from bench.meter import Meter, machine
from bench.report import Goal, Result, Row, drifted
from bench.stand import stand

# The first size warms the worker up and is in no figure; the last repeats the small one, to see whether the machine
# changed meanwhile.
QUICK, FULL = (10_000, 50_000), (10_000, 1_000_000)
WARM = 2_000
_SECONDS = {False: 500, True: 3400}
_MEMORY_MIB = 32


def run(*, full: bool) -> Result:
    """One worker in a fresh process takes the small file, the large one and the small one again."""
    small, large = FULL if full else QUICK
    started = time.monotonic()
    with stand() as ground, Meter() as meter:
        place = world.make()
        port = environment.free_ports(1)
        starting.start(ground, place, port)
        folder = str(Path(settings.DATA_DIR))
        sizes = [WARM, small, large, small]
        found: list[Journey] = fresh.alone(
            "bench.ecoa_million.journey.travel", place.mapping.pk, port, folder, sizes, seconds=_SECONDS[full]
        )
    return _result(found[1:], meter, time.monotonic() - started)


def _result(found: list[Journey], meter: Meter, seconds: float) -> Result:
    first, large, last = found
    small = [first.rate, last.rate]
    ratio = large.rate / (sum(small) / len(small))
    growth = large.rss_mib - first.rss_mib
    return Result(
        name="ecoa_million",
        value=large.rate,
        unit="participants/s",
        limit=sum(small) / len(small),
        ratio=ratio,
        ratios={"linear": ratio, "worker_growth_mib": growth},
        n=large.size,
        seconds=seconds,
        machine=machine(meter.foreign),
        rows=[
            Row(f"{first.size:,} participants", small, "participants/s", "file to settled, one lane; first and last"),
            Row(f"{large.size:,} participants", [large.rate], "participants/s", "the same, in one file"),
            *_stages(large),
            Row("worker memory", [first.rss_mib, large.rss_mib], "MiB", "after the small file, after the large one"),
        ],
        goals=[
            Goal(f"rate at {large.size:,} ÷ rate at {first.size:,}", ratio, 0.8),
            Goal("worker memory growth, MiB", growth, _MEMORY_MIB, at_most=True, counted=True),
        ],
        invalid=drifted([first.rate], [last.rate]),
    )


def _stages(journey: Journey) -> list[Row]:
    stages = {"import": journey.imported, "plan": journey.planned, "send": journey.sent}
    return [
        Row(f"{name}, {journey.size:,}", [journey.size / seconds], "participants/s") for name, seconds in stages.items()
    ]
