"""What the apps say about copying a vault: the parts they copy, and the kinds of links that break by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from django.db import models

from vaultadmin import audit
from vaultadmin.models import Membership, SandboxLink, Vault
from vaultadmin.permissions import Permission

Row = TypeVar("Row", bound=models.Model)


@dataclass
class Copying:
    """One copying of a vault into its sandbox, inside one transaction; `members` maps the source's to the copy's."""

    source: Vault
    target: Vault
    with_people: bool
    by: audit.Actor
    now: datetime
    members: dict[int, Membership] = field(default_factory=dict)
    ids: dict[type[models.Model], dict[int, int]] = field(default_factory=dict)
    broken: list[SandboxLink] = field(default_factory=list)

    def breaks(self, kind: str, subject: models.Model, *, note: str = "") -> None:
        """Note that something works no more in the copy, for the page that lists it."""
        link = SandboxLink(
            sandbox_id=self.target.pk, kind=kind, subject_id=subject.pk, label=str(subject)[:255], note=note
        )
        self.broken.append(link)

    def insert(self, originals: Sequence[Row], copies: Sequence[Row]) -> list[Row]:
        """Store copies beside their originals, and remember which is whose for rows that refer to them."""
        made: list[Row] = list(copies)
        if made:
            type(made[0])._default_manager.bulk_create(made)
            known = self.ids.setdefault(type(made[0]), {})
            known.update({old.pk: new.pk for old, new in zip(originals, made, strict=True)})
        return made

    def id_of(self, model: type[models.Model], original: int | None) -> int | None:
        """The copy of a row; None when there is none, as for a row that came while we were copying."""
        return None if original is None else self.ids.get(model, {}).get(original)

    def record(self, rows: Sequence[models.Model], event: str) -> None:
        """One audit row for each copy, in the copy's chain."""
        reason = f"Copied from Vault {self.source.pk}."
        entries = [audit.Entry(event, row._meta.label_lower, str(row.pk), str(row), {}, reason) for row in rows]
        for start in range(0, len(entries), audit.MAX_BATCH):
            audit.record_many(vault=self.target, by=self.by, entries=entries[start : start + audit.MAX_BATCH])


def copy_of(row: Row, **changes: object) -> Row:
    """An unsaved copy with all of a row's columns but its key, some of them changed."""
    values = {field_.attname: getattr(row, field_.attname) for field_ in row._meta.concrete_fields}
    del values[row._meta.pk.attname]
    if "creation_key" in values:
        values["creation_key"] = None
    return type(row)(**(values | changes))


@dataclass(frozen=True)
class Part:
    """A part of a vault: `clear` empties it in the copy before a refresh, `copy` fills it and says how many rows."""

    label: str
    copy: Callable[[Copying], int]
    clear: Callable[[Copying], None]


@dataclass(frozen=True)
class Look:
    """How a link stands now: mended or not, and where somebody mends it."""

    healed: bool
    url: str


@dataclass(frozen=True)
class LinkKind:
    """A kind of link that breaks: why, what to do, with which right, and how to see whether it was done."""

    label: str
    cause: str
    step: str
    button: str
    needs: Permission
    look: Callable[[Vault, Sequence[SandboxLink]], dict[int, Look]]


# Copied in this order and cleared in the opposite one: later parts refer to rows of earlier ones.
parts: list[Part] = []
link_kinds: dict[str, LinkKind] = {}
