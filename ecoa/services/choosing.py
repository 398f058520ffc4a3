"""Which column of a file is which: chosen for one file, and remembered for files with the same first row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from ecoa.imports import columns
from ecoa.imports.columns import Columns
from ecoa.imports.problems import FileRefused
from ecoa.models import ColumnMapping, StudyMapping
from ecoa.services.actors import ensure_manager
from ecoa.services.refusals import Refused
from vaultadmin import audit

# Our columns, as the trail calls them.
_PLACES = {"site": "site", "participant_id": "participant ID", "internal_id": "internal ID"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which column is which, by position from 0."""

    site: int
    participant_id: int
    internal_id: int

    def of(self, heading: Sequence[str]) -> Columns:
        """The columns of a file with this first row; Refused when it has none such."""
        try:
            return columns.chosen(
                heading, site=self.site, participant_id=self.participant_id, internal_id=self.internal_id
            )
        except FileRefused as refusal:
            raise Refused(str(refusal)) from refusal


def remembered(mapping: StudyMapping, heading: Sequence[str]) -> ColumnMapping | None:
    """The saved columns of files of this study with this first row."""
    return ColumnMapping.objects.filter(mapping=mapping, heading_key=columns.key(heading)).first()


def remember(
    *, mapping: StudyMapping, heading: list[str], choice: Choice, name: str, by: audit.Actor, now: datetime
) -> ColumnMapping:
    """Save columns for files with this first row; what was saved for it before is replaced."""
    ensure_manager(by, mapping.vault_id)
    found = remembered(mapping, heading)
    if found is not None:
        return edit(found, name=name, choice=choice, by=by)
    choice.of(heading)
    saved = ColumnMapping(
        vault=mapping.vault,
        mapping=mapping,
        name=name,
        heading=heading,
        heading_key=columns.key(heading),
        created_at=now,
    )
    _put(saved, choice)
    try:
        with transaction.atomic():
            saved.save(force_insert=True)
            changes: audit.Changes = {"name": (None, name), "study": (None, str(mapping)), **_told(saved, None)}
            audit.record(vault=mapping.vault, by=by, event="column_mapping.created", subject=saved, changes=changes)
    except IntegrityError as error:
        raise _taken(error) from error
    return saved


def edit(saved: ColumnMapping, *, name: str, choice: Choice, by: audit.Actor) -> ColumnMapping:
    """Change saved columns or their name. Files that were read with them stay as they are."""
    ensure_manager(by, saved.vault_id)
    choice.of(saved.heading)
    try:
        with transaction.atomic():
            current = _locked(saved)
            before, was = _names(current), current.name
            current.name = name
            _put(current, choice)
            current.save()
            changes = _told(current, before)
            if was != name:
                changes["name"] = (was, name)
            if changes:
                audit.record(
                    vault=current.vault, by=by, event="column_mapping.edited", subject=current, changes=changes
                )
    except IntegrityError as error:
        raise _taken(error) from error
    return current


def forget(saved: ColumnMapping, *, by: audit.Actor) -> None:
    """Delete saved columns. Files with this first row are asked about again."""
    ensure_manager(by, saved.vault_id)
    with transaction.atomic():
        current = _locked(saved)
        changes: audit.Changes = {label: (name, None) for label, name in _names(current).items()}
        audit.record(vault=current.vault, by=by, event="column_mapping.deleted", subject=current, changes=changes)
        current.delete()


def _locked(saved: ColumnMapping) -> ColumnMapping:
    rows = ColumnMapping.objects.select_for_update(of=("self",)).select_related("vault")
    found = rows.filter(pk=saved.pk).first()
    if found is None:
        raise Refused("Somebody deleted these columns meanwhile.")
    return found


def _put(saved: ColumnMapping, choice: Choice) -> None:
    for name in _PLACES:
        setattr(saved, name, getattr(choice, name))


def _names(saved: ColumnMapping) -> dict[str, str]:
    """Label of ours → heading of the file's, as the trail tells it."""
    return {label: saved.heading[getattr(saved, name)] for name, label in _PLACES.items()}


def _told(saved: ColumnMapping, before: dict[str, str] | None) -> audit.Changes:
    now = _names(saved)
    return {label: ((before or {}).get(label), now[label]) for label in now if (before or {}).get(label) != now[label]}


def _taken(error: IntegrityError) -> Refused:
    if "column_mapping_name_once" in str(error):
        return Refused("The study has saved columns with this name already.", field="name")
    if "column_mapping_heading_once" in str(error):
        return Refused("Somebody saved columns for this first row just now.", field="name")
    raise error
