"""Bring the participants of one file to eCOA."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ecoa.imports import columns
from ecoa.imports.problems import FileRefused, sentence
from ecoa.models import FileImport, FileRow, ImportState, Scope, StudyMapping, SyncRun
from ecoa.services import importing, runs
from ecoa.services.refusals import Refused
from ecoa.sync import draining, healing
from ecoa.sync.policy import POLICY
from vaultadmin import audit, clock
from vaultadmin.commands import DONE, WITH_FAILURES
from vaultadmin.commands import Command as OurCommand

ACTOR = audit.System("sync_participants")
_SHOWN = 20
_PAUSE = 0.5


class Command(OurCommand):
    help = "Imports a participant file (CSV or XLSX) and sends its participants to eCOA."

    def add_arguments(self, parser: Any) -> None:
        """Which study, which file, and whether to wait."""
        parser.add_argument("--vault", type=int, required=True, help="Vault ID")
        parser.add_argument("--connection", required=True, help="API Name of the External connection")
        parser.add_argument("--study", required=True, help="study ID in the external system")
        parser.add_argument("--file", required=True, help="file with site, participantId and internalId")
        parser.add_argument("--wait", action="store_true", help="wait until every participant has an outcome")
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def run(self, **options: Any) -> int:
        """0 all in eCOA (or planned), 1 some not, 2 wrong use."""
        started = time.monotonic()
        mapping = self._mapping(options["vault"], options["connection"], options["study"])
        try:
            file = self._import(mapping, Path(options["file"]))
            run = _plan(mapping, file, wait=options["wait"])
        except Refused as refusal:
            raise self.fail(str(refusal)) from refusal
        if options["wait"]:
            run = _work_until_over(run.pk)
        self._tell(run, time.monotonic() - started, waited=options["wait"], as_json=options["json"])
        failed = options["wait"] and run.synced < run.total
        return WITH_FAILURES if failed or file.bad or file.skipped else DONE

    def _mapping(self, vault: int, connection: str, study: str) -> StudyMapping:
        rows = StudyMapping.objects.select_related("vault")
        found = rows.filter(vault=vault, connection__api_name=connection, external_study_id=study).first()
        if found is None:
            raise self.fail(f"Vault {vault} has no mapping of study {study} over the connection {connection}.")
        return found

    def _import(self, mapping: StudyMapping, path: Path) -> FileImport:
        try:
            with path.open("rb") as content:
                file = importing.receive(mapping=mapping, file=content, name=path.name, by=ACTOR, now=clock.now())
        except OSError as error:
            raise self.fail(f"The file {path} cannot be read: {error.strerror}.") from error
        if file.state == ImportState.MAPPING:
            importing.discard(file, by=ACTOR, now=clock.now())
            raise Refused(_explained(file))
        file = _work_file(file, ImportState.READY)
        self._tell_problems(file)
        importing.confirm(file, by=ACTOR, now=clock.now())
        return _work_file(file, ImportState.DONE)

    def _tell_problems(self, file: FileImport) -> None:
        bad = FileRow.objects.filter(file=file, problems__isnull=False).order_by("line")
        for row in bad[:_SHOWN]:
            self.stderr.write(f"Line {row.line}: {' '.join(sentence(problem) for problem in row.problems or [])}")
        if file.bad > _SHOWN:
            self.stderr.write(f"{file.bad - _SHOWN} more rows were left out.")

    def _tell(self, run: SyncRun, seconds: float, *, waited: bool, as_json: bool) -> None:
        if not waited:
            values: dict[str, Any] = {"run": run.pk}
            text = f"Run {run.pk} is planned; follow it under ecoa/runs/{run.pk}/."
        else:
            counts = {name: getattr(run, name) for name in ("total", "synced", "rejected", "unknown")}
            values = {"run": run.pk, **counts, "seconds": round(seconds, 3)}
            text = (
                f"Run {run.pk}: {run.synced} of {run.total} participants are in eCOA, {run.rejected} were not "
                f"accepted, {run.unknown} are not known yet ({seconds:.1f} s)."
            )
        if as_json:
            self.print_json(values)
        else:
            self.stdout.write(text)


def _explained(file: FileImport) -> str:
    """Why nobody could tell the columns, in the words for people who write such files."""
    try:
        columns.find(file.heading)
    except FileRefused as refusal:
        return f"{refusal} Or upload it once on the page Import and save which column is which."
    return "Upload the file once on the page Import and save which column is which."


def _plan(mapping: StudyMapping, file: FileImport, *, wait: bool) -> SyncRun:
    """Plan the file's run; with `wait`, a run of the study that is under way is seen through first."""
    while wait and (under_way := SyncRun.objects.open().filter(mapping=mapping).first()) is not None:
        _work_until_over(under_way.pk)
    return runs.plan(mapping=mapping, scope=Scope.FILE, file=file, by=ACTOR, now=clock.now())


def _work_file(file: FileImport, state: str) -> FileImport:
    """Do here what a worker would, or wait for the one that has the file in hand."""
    while True:
        current: FileImport = FileImport.objects.get(pk=file.pk)
        if current.state == state:
            return current
        if current.state == ImportState.DISCARDED:
            raise Refused("The file was discarded while it was being imported.")
        importing.work(import_id=file.pk)
        if FileImport.objects.filter(pk=file.pk, state=current.state, cursor=current.cursor).exists():
            time.sleep(_PAUSE)


def _work_until_over(run_id: int) -> SyncRun:
    """Help to drain the run as one more worker, so that it ends whether or not workers are running."""
    while True:
        for lane in range(POLICY.lanes):
            draining.drain(run_id=run_id, lane=lane)
        healing.tick(now=clock.now())
        run: SyncRun = SyncRun.objects.get(pk=run_id)
        if not run.is_open:
            return run
        time.sleep(_PAUSE)
