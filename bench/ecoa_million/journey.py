"""The way of one file: received, checked, stored, planned, sent and settled, as a worker does it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Concat

from bench import fresh
from bench.errors import BenchError
from bench.import_preview import write_file
from bench.world import BENCH, HOST
from ecoa.models import OPEN_STATES, FileImport, ImportState, Participant, Scope, StudyMapping, SyncRun
from ecoa.services import importing, runs
from ecoa.sync import draining, planning
from vaultadmin import clock
from vaultadmin.celery import keep_what_is_loaded

_MIB = 2**20


@dataclass(frozen=True)
class Journey:
    """What one size took, in seconds a stage, and what the worker held afterwards."""

    size: int
    imported: float
    planned: float
    sent: float
    rss_mib: float

    @property
    def seconds(self) -> float:
        return self.imported + self.planned + self.sent

    @property
    def rate(self) -> float:
        return self.size / self.seconds


def travel(ready: fresh.Ready, mapping_id: int, port: int, folder: str, sizes: list[int]) -> list[Journey]:
    """Runs in a process of its own, the worker: one size after the other, so that what it keeps is seen."""
    settings.OUTBOUND_RESOLVE = f"{HOST}:443=127.0.0.1:{port}"
    keep_what_is_loaded()
    ready()
    return [_journey(StudyMapping.objects.get(pk=mapping_id), size, Path(folder)) for size in sizes]


def _journey(mapping: StudyMapping, size: int, folder: Path) -> Journey:
    path = write_file(folder / f"million-{size}.csv", size)
    try:
        began = time.perf_counter()
        file = _imported(mapping, path)
        stored = time.perf_counter()
        run = runs.plan(mapping=mapping, scope=Scope.FILE, file=file, by=BENCH, now=clock.now())
        planning.freeze(run_id=run.pk, now=clock.now())
        planned = time.perf_counter()
        while SyncRun.objects.filter(pk=run.pk, state__in=OPEN_STATES).exists():
            draining.drain(run_id=run.pk)
        sent = time.perf_counter()
    finally:
        path.unlink(missing_ok=True)
    _check(SyncRun.objects.get(pk=run.pk), file)
    rss = psutil.Process().memory_info().rss / _MIB
    _forget(mapping, file)
    return Journey(size, stored - began, planned - stored, sent - planned, rss)


def _imported(mapping: StudyMapping, path: Path) -> FileImport:
    with path.open("rb") as content:
        file = importing.receive(mapping=mapping, file=content, name=path.name, by=BENCH, now=clock.now())
    _work(file, ImportState.READY)
    importing.confirm(FileImport.objects.get(pk=file.pk), by=BENCH, now=clock.now())
    return _work(file, ImportState.DONE)


def _work(file: FileImport, state: ImportState) -> FileImport:
    while (current := FileImport.objects.get(pk=file.pk)).state != state:
        importing.work(import_id=file.pk)
    return current


def _check(run: SyncRun, file: FileImport) -> None:
    """Everybody good arrived, once, and each with the ID that belongs to them."""
    matched = Participant.objects.filter(mapping=run.mapping_id, status="synced").filter(
        my_veeva_participant_id=Concat(Value("remote-"), "internal_id")
    )
    found = (run.synced, run.total, matched.count())
    if found != (file.good,) * 3:
        raise BenchError(f"{run}: synced, planned and matched are {found} instead of {file.good}.")


def _forget(mapping: StudyMapping, file: FileImport) -> None:
    """An empty study for the next size; truncating keeps the next size from paying for this one's dead rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE ecoa_participant, ecoa_syncrun, ecoa_fileimport, ecoa_sitetally RESTART IDENTITY CASCADE"
        )
        cursor.execute(
            "INSERT INTO ecoa_sitetally (site_id, waiting, synced, rejected, unknown, stamp)"
            " SELECT id, 0, 0, 0, 0, 0 FROM ecoa_site"
        )
