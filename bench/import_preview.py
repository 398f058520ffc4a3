"""A participant file up to its preview: peak memory of a fresh process, and rows per second beside csv.reader alone."""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from bench import fresh, world
from bench.errors import BenchError
from bench.meter import Meter, machine, peak_memory_mb
from bench.report import Goal, Result, Row, drifted
from bench.stand import stand
from bench.world import BENCH
from ecoa.imports import problems
from ecoa.models import FileImport, FileRow, ImportState, StudyMapping
from ecoa.services import importing
from vaultadmin import clock

QUICK, FULL = (100_000,), (100_000, 1_000_000)
MEMORY_MB = 300
_ROUNDS = 3
# Every so many rows one whose site the study does not know, so that a preview that looks at nothing is found out.
_BAD_EVERY = 1000
_FULL_STOP = 300


@dataclass(frozen=True)
class Preview:
    """What one fresh process reports."""

    file: int
    seconds: float
    peak_mb: float


def run(*, full: bool) -> Result:
    """Each size in processes of its own."""
    return measure(FULL if full else QUICK)


def measure(sizes: tuple[int, ...]) -> Result:
    """One row a size; the figure of the benchmark is the largest."""
    started = time.monotonic()
    rows: list[Row] = []
    with stand(), Meter() as meter:
        place = world.make()
        for size in sizes:
            file = write_file(Path(settings.DATA_DIR) / f"participants-{size}.csv", size)
            before = [read_alone(file) for _ in range(_ROUNDS)]
            previews = [preview_apart(place.mapping.pk, file, size) for _ in range(_ROUNDS)]
            after = [read_alone(file) for _ in range(_ROUNDS)]
            file.unlink()
            peaks = [preview.peak_mb for preview in previews]
            rows += [
                Row(f"csv.reader alone, {size:,} rows", [size / each for each in before + after], "rows/s"),
                Row(f"preview, {size:,} rows", [size / each.seconds for each in previews], "rows/s", "staged, checked"),
                Row(f"peak memory, {size:,} rows", peaks, "MB", "fresh process, Django included"),
            ]
    invalid = drifted([size / each for each in before], [size / each for each in after])
    limit, ours = rows[-3].median, rows[-2].median
    return Result(
        name="import_preview",
        value=ours,
        unit="rows/s",
        limit=limit,
        ratio=ours / limit,
        ratios={"csv_reader": ours / limit},
        n=sizes[-1],
        seconds=time.monotonic() - started,
        machine=machine(meter.foreign),
        rows=rows,
        goals=[
            *(
                Goal(row.name + ", MB", max(row.values), MEMORY_MB, at_most=True, counted=True)
                for row in rows
                if row.unit == "MB"
            ),
            Goal("preview ÷ csv.reader alone", ours / limit, 0.2, later=True),
        ],
        invalid=invalid,
    )


def write_file(path: Path, size: int) -> Path:
    """A file like people send: three columns, sites in turn, some rows of an unknown site."""
    sites = list(world.REGIONS)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["site", "participantId", "internalId"])
        for number in range(1, size + 1):
            site = "9999" if number % _BAD_EVERY == 0 else sites[number % len(sites)]
            writer.writerow([site, f"{site}-{number:07}", f"6f9619ff-8b86-d011-b42d-{number:012}"])
    return path


def read_alone(path: Path) -> float:
    """The limit: seconds csv.reader needs to hand out every row."""
    started = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file:
        for _row in csv.reader(file):
            pass
    return time.perf_counter() - started


def preview_apart(mapping_id: int, file: Path, size: int) -> Preview:
    """Preview in a fresh process, check what came out, and forget it."""
    found: Preview = fresh.alone("bench.import_preview.preview", mapping_id, str(file), seconds=_FULL_STOP)
    check(found.file, size)
    FileRow.objects.filter(file=found.file).delete()
    return found


def preview(ready: fresh.Ready, mapping_id: int, path: str) -> Preview:
    """Runs in a process of its own: receive the file and check it, as a request and a worker would."""
    mapping = StudyMapping.objects.get(pk=mapping_id)
    ready()
    started = time.perf_counter()
    with open(path, "rb") as file:
        received = importing.receive(mapping=mapping, file=file, name="participants.csv", by=BENCH, now=clock.now())
    if received.state == ImportState.CHECKING:
        importing.work(import_id=received.pk)
    return Preview(received.pk, time.perf_counter() - started, peak_memory_mb())


def check(file_id: int, size: int) -> None:
    """Every row is staged with its own values, and exactly the bad ones are called bad."""
    file = FileImport.objects.get(pk=file_id)
    bad = size // _BAD_EVERY
    rows = FileRow.objects.filter(file=file_id)
    found = {
        "ready": file.state == ImportState.READY,
        "rows counted": file.row_count == size,
        "new": file.new == size - bad,
        "bad": file.bad == bad,
        "rows staged": rows.count() == size,
        "bad rows": rows.filter(problems=[problems.UNKNOWN_SITE], site="9999").count() == bad,
        "first row": _values(rows.order_by("line").first())
        == ("2001", "2001-0000001", f"6f9619ff-8b86-d011-b42d-{1:012}"),
    }
    wrong = [what for what, right in found.items() if not right]
    if wrong:
        raise BenchError(f"The preview of {size:,} rows is not what was sent: {', '.join(wrong)}.")


def _values(row: FileRow | None) -> tuple[str, str, str] | None:
    return (row.site, row.participant_id, row.internal_id) if row is not None else None
