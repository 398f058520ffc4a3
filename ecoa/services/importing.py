"""Participant files as people handle them: receive, preview, import or discard; and the work behind it.

Reading puts the rows into staging in one transaction. Checking and storing are a job for anything large: the file row
says what is due, carries a lease while a worker has it and a cursor of how far storing got.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import BinaryIO
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from ecoa.imports import columns, reading, shape
from ecoa.imports.columns import Columns
from ecoa.imports.problems import FileRefused
from ecoa.imports.reading import Table
from ecoa.models import ColumnMapping, FileChunk, FileImport, FileRow, ImportState, StudyMapping
from ecoa.services import checking, choosing, staging, storing
from ecoa.services.actors import ensure_manager, label_of, member_of
from ecoa.services.choosing import Choice
from ecoa.services.refusals import Refused
from vaultadmin import audit, claims, clock, wake

LANE = "ecoa.import"
# Files up to this size are checked and stored within the request; larger ones are a job with progress.
INLINE_ROWS = 5_000
LEASE = timedelta(seconds=120)
WORK_FOR = 60.0
KEEP = timedelta(days=7)
TRIES = 3

_DUE = (ImportState.CHECKING, ImportState.STORING)
_OVER = (ImportState.DONE, ImportState.DISCARDED, ImportState.REFUSED)
_WAITING = (ImportState.MAPPING, ImportState.READY)
_SAMPLE, _SAMPLE_TEXT = 5, 60
_CLEANER = audit.System("Clean-up")


def receive(*, mapping: StudyMapping, file: BinaryIO, name: str, by: audit.Actor, now: datetime) -> FileImport:
    """Read a file into staging and check it, or leave the check to a worker. Refused when it is no such file.

    Where neither saved columns nor the headings tell which column is which, the file waits for `choose_columns`.
    """
    ensure_manager(by, mapping.vault_id)
    try:
        with transaction.atomic():
            received = _stage(mapping, file, name, by, now)
            audit.record(
                vault=mapping.vault,
                by=by,
                event="participant_file.received",
                subject=received,
                changes={"rows": (None, received.row_count), "SHA-256": (None, received.sha256)},
            )
            _hand_on(received)
    except FileRefused as refusal:
        raise Refused(str(refusal), field="file") from refusal
    return _worked_off(received)


def choose_columns(
    file: FileImport, *, choice: Choice, save_as: str = "", by: audit.Actor, now: datetime
) -> FileImport:
    """Read an uploaded file anew with these columns, and remember them under a name if one is given."""
    ensure_manager(by, file.vault_id)
    try:
        with transaction.atomic():
            current = _locked(file)
            if current.state not in _WAITING:
                raise Refused("The columns of this file can no longer be chosen.")
            at = choice.of(current.heading)
            current.columns_from = _remember(current, choice, save_as, by, now) if save_as else None
            FileRow.objects.filter(file=current).delete()
            with staging.reopen(current.pk) as content, reading.open_table(content, choose=lambda _row: at) as table:
                _stage_rows(current, table, at)
            changes: audit.Changes = {label: (None, name) for label, name in current.used_columns}
            audit.record(
                vault=current.vault, by=by, event="participant_file.columns_chosen", subject=current, changes=changes
            )
            _hand_on(current)
    except FileRefused as refusal:
        raise Refused(str(refusal)) from refusal
    return _worked_off(current)


def confirm(file: FileImport, *, by: audit.Actor, now: datetime) -> FileImport:
    """Import the good rows of a checked file. Confirming twice changes nothing."""
    ensure_manager(by, file.vault_id)
    with transaction.atomic():
        current = _locked(file)
        if current.state in (ImportState.STORING, ImportState.DONE):
            return current
        if current.state != ImportState.READY:
            raise Refused("This file is not ready to be imported.")
        if current.good == 0:
            raise Refused("No row of this file can be imported. Correct it and upload it again.")
        current.state, current.confirmed_at = ImportState.STORING, now
        current.save(update_fields=["state", "confirmed_at"])
        _forget_upload(current.pk)
        counts: audit.Changes = {"rows to import": (None, current.good), "rows left out": (None, current.bad)}
        audit.record(vault=current.vault, by=by, event="participant_file.confirmed", subject=current, changes=counts)
        if current.row_count > INLINE_ROWS:
            wake.wake(LANE, import_id=current.pk)
    return _worked_off(current)


def discard(file: FileImport, *, by: audit.Actor, now: datetime) -> None:
    """Drop a file that was not imported."""
    ensure_manager(by, file.vault_id)
    with transaction.atomic():
        current = _locked(file)
        if current.state not in (*_WAITING, ImportState.CHECKING):
            raise Refused("This file is imported already.")
        _discard(current, by=by, now=now)


def work(*, import_id: int, now: Callable[[], datetime] = clock.now) -> None:
    """Do what a file waits for, for a while. Harmless to run twice: the file is leased."""
    rows = _due(now()).filter(pk=import_id)
    claim = claims.claim(rows, limit=1, lease=LEASE, now=now(), tries=F("tries") + 1)
    if not claim:
        return
    file = FileImport.objects.select_related("mapping__vault", "vault", "started_by__user").get(pk=import_id)
    if file.tries > TRIES:
        _give_up(file, claim.token, now())
    elif file.state == ImportState.CHECKING:
        _check(file, claim.token)
    else:
        _store(file, claim.token, now)


def wake_unfinished(*, now: datetime) -> None:
    """Nudge workers for files whose work nobody has in hand."""
    for import_id in _due(now).values_list("pk", flat=True):
        wake.wake(LANE, import_id=import_id)


def tidy(*, now: datetime) -> int:
    """Drop the staged rows of files that were dealt with, or left lying, a week ago; returns how many."""
    old = FileImport.objects.filter(created_at__lt=now - KEEP)
    with transaction.atomic():
        # Whoever confirms one this moment keeps it.
        waiting = old.filter(state__in=_WAITING).select_for_update(skip_locked=True, of=("self",))
        for file in waiting.select_related("vault").order_by("pk"):
            _discard(file, by=_CLEANER, now=now, reason=f"Nobody imported it within {KEEP.days} days.")
    left_over = old.filter(Exists(FileRow.objects.filter(file=OuterRef("pk"))), state__in=_OVER)
    dropped = 0
    for import_id in left_over.values_list("pk", flat=True):
        dropped += FileRow.objects.filter(file_id=import_id).delete()[0]
    return dropped


def _discard(file: FileImport, *, by: audit.Actor, now: datetime, reason: str = "") -> None:
    file.state, file.finished_at = ImportState.DISCARDED, now
    file.lease_token = file.lease_until = None
    file.save(update_fields=["state", "finished_at", "lease_token", "lease_until"])
    _forget_upload(file.pk)
    audit.record(vault=file.vault, by=by, event="participant_file.discarded", subject=file, reason=reason)


def _stage(mapping: StudyMapping, file: BinaryIO, name: str, by: audit.Actor, now: datetime) -> FileImport:
    sha256 = staging.sha256_of(file)
    saved: list[ColumnMapping] = []

    def choose(heading: Sequence[str]) -> Columns | None:
        columns.check(heading)
        found = choosing.remembered(mapping, _clean_heading(heading))
        if found is None:
            return columns.guess(heading)
        saved.append(found)
        return Choice(found.site, found.participant_id, found.internal_id).of(heading)

    with reading.open_table(file, choose=choose) as table:
        received = FileImport.objects.create(
            vault=mapping.vault,
            mapping=mapping,
            file_name=_clean_name(name),
            sha256=sha256,
            encoding=table.encoding,
            notes=table.notes,
            heading=_clean_heading(table.heading),
            columns_from=saved[0] if saved else None,
            started_by=member_of(by),
            starter_label=label_of(by),
            created_at=now,
        )
        _stage_rows(received, table, table.columns)
    staging.keep(file_id=received.pk, file=file)
    return received


def _clean_heading(heading: Sequence[str]) -> list[str]:
    return [shape.storable(text.strip(), longest=255) for text in heading]


def _stage_rows(file: FileImport, table: Table, at: Columns | None) -> None:
    """Stage the rows with these columns, or keep a look at the first ones for whoever chooses."""
    first = list(islice(table.lines, _SAMPLE))
    if not first:
        raise FileRefused("The file has a heading but no rows.")
    width = len(table.heading)
    file.sample = [[shape.storable(text, longest=_SAMPLE_TEXT) for text in cells[:width]] for _line, cells in first]
    file.state = ImportState.MAPPING if at is None else ImportState.CHECKING
    file.columns = None
    if at is not None:
        file.columns = {"site": at.site, "participant_id": at.participant_id, "internal_id": at.internal_id}
        file.row_count = staging.stage(file_id=file.pk, columns=at, lines=chain(first, table.lines))
    file.save(update_fields=["sample", "state", "columns", "columns_from", "row_count"])


def _remember(file: FileImport, choice: Choice, name: str, by: audit.Actor, now: datetime) -> ColumnMapping:
    return choosing.remember(mapping=file.mapping, heading=file.heading, choice=choice, name=name, by=by, now=now)


def _hand_on(file: FileImport) -> None:
    """Large files are checked by a worker."""
    if file.state == ImportState.CHECKING and file.row_count > INLINE_ROWS:
        wake.wake(LANE, import_id=file.pk)


def _worked_off(file: FileImport) -> FileImport:
    """Small files are worked off at once."""
    if file.row_count <= INLINE_ROWS:
        work(import_id=file.pk)
    return FileImport.objects.get(pk=file.pk)


def _forget_upload(file_id: int) -> None:
    """The bytes as uploaded, columns nobody asked for included, are kept only while a person may choose anew."""
    FileChunk.objects.filter(file=file_id).delete()
    FileImport.objects.filter(pk=file_id).update(sample=[])


def _clean_name(name: str) -> str:
    """The file's own name, without folders and unprintable characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:255] or "participants"


def _due(now: datetime) -> QuerySet[FileImport]:
    free = Q(lease_token__isnull=True) | Q(lease_until__lt=now)
    return FileImport.objects.filter(free, state__in=_DUE).order_by("pk")


def _locked(file: FileImport) -> FileImport:
    return FileImport.objects.select_for_update(of=("self",)).select_related("mapping__vault", "vault").get(pk=file.pk)


def _check(file: FileImport, token: UUID) -> None:
    with transaction.atomic():
        checking.check(file)
        claims.settle(
            FileImport.objects.filter(pk=file.pk, state=ImportState.CHECKING),
            token=token,
            state=ImportState.READY,
            tries=0,
            row_count=file.row_count,
            bad=file.bad,
            new=file.new,
            changed=file.changed,
            same=file.same,
        )


def _store(file: FileImport, token: UUID, now: Callable[[], datetime]) -> None:
    actor: audit.Actor = file.started_by or audit.System(file.starter_label)
    stop_at = time.monotonic() + WORK_FOR
    try:
        while storing.store_batch(file=file, token=token, by=actor, lease=LEASE, now=now()):
            if time.monotonic() > stop_at:
                claims.settle(FileImport.objects.filter(pk=file.pk), token=token, tries=0)
                wake.wake(LANE, import_id=file.pk)
                return
    except storing.LeaseLost:
        return
    with transaction.atomic():
        done = claims.settle(
            FileImport.objects.filter(pk=file.pk), token=token, state=ImportState.DONE, finished_at=now()
        )
        if done:
            stored = FileImport.objects.get(pk=file.pk)
            counts: audit.Changes = {"rows imported": (None, stored.stored), "rows left out": (None, stored.skipped)}
            audit.record(vault=file.vault, by=actor, event="participant_file.imported", subject=file, changes=counts)


def _give_up(file: FileImport, token: UUID, now: datetime) -> None:
    """A file every worker broke off over is left alone; what it brought so far stays."""
    doing = "checking" if file.state == ImportState.CHECKING else "importing"
    refusal = f"{doing.capitalize()} it broke off {TRIES} times in a row. Ask an operator to look at the logs."
    with transaction.atomic():
        rows = FileImport.objects.filter(pk=file.pk)
        if claims.settle(rows, token=token, state=ImportState.REFUSED, refusal=refusal, finished_at=now):
            _forget_upload(file.pk)
            changes: audit.Changes = {"state": (file.state, ImportState.REFUSED.value)}
            changes["rows imported"] = (None, file.stored)
            audit.record(
                vault=file.vault, by=_CLEANER, event="participant_file.given_up", subject=file, changes=changes
            )
