"""The audit trail: who did what, when, to which record, what it was before, and why.

Rows are written in the transaction of the change itself, so a change that cannot be recorded does not happen
(security.md L3). Each vault has its own hash chain; chain 0 belongs to the installation. A link's hash covers the
previous hash and every column, so an edited, removed or reordered row is found by `manage.py verify_audit`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, models

from vaultadmin import clock
from vaultadmin.models import AuditEvent, AuditHead, Membership, User, Vault
from vaultadmin.strict_json import canonical

_INSERT_MANY = """
INSERT INTO vaultadmin_auditevent (chain, sequence, at, actor, actor_id, event, subject_type, subject_id,
    subject_label, changes, reason, source_ip, request_id, in_bulk, hash)
SELECT chain, sequence, at, actor, actor_id, event, subject_type, subject_id,
    subject_label, changes, reason, source_ip, request_id, in_bulk, decode(hash, 'hex')
FROM jsonb_to_recordset(%s::jsonb) AS r(chain bigint, sequence bigint, at timestamptz, actor text, actor_id text,
    event text, subject_type text, subject_id text, subject_label text, changes jsonb, reason text, source_ip text,
    request_id text, in_bulk boolean, hash text)
ORDER BY sequence
"""

# What a link's hash covers as it is; the time and the mark of bulk have a spelling of their own.
_COLUMNS = (
    *("chain", "sequence", "actor", "actor_id", "event", "subject_type", "subject_id", "subject_label"),
    *("changes", "reason", "source_ip", "request_id"),
)
_NOT_IN_BULK = ',"in_bulk":false'
SECRET_CHANGED = "(changed, not shown)"
MAX_BATCH = 1000
INSTALLATION_CHAIN = 0

Changes = dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class System:
    """A machine that acts by itself; the name says which, for people reading the trail."""

    name: str


Actor = Membership | User | System


@dataclass(frozen=True)
class Origin:
    """Where the work came from: set per request by middleware, per task by the worker."""

    source_ip: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Entry:
    """One row of a batch written with `record_many`."""

    event: str
    subject_type: str = ""
    subject_id: str = ""
    subject_label: str = ""
    changes: Changes = field(default_factory=dict)
    reason: str = ""


_origin: ContextVar[Origin | None] = ContextVar("audit_origin", default=None)


@contextmanager
def origin(*, source_ip: str = "", request_id: str = "") -> Iterator[None]:
    """Rows written inside carry this address and request id."""
    token = _origin.set(Origin(source_ip, request_id))
    try:
        yield
    finally:
        _origin.reset(token)


def record(
    *,
    vault: Vault | None,
    by: Actor,
    event: str,
    subject: models.Model | None = None,
    changes: Changes | None = None,
    reason: str = "",
    in_bulk: bool = False,
) -> AuditEvent:
    """Append one row to the vault's chain (the installation's when `vault` is None).

    Must run inside the transaction of the change. `changes` maps a field's label to (old, new); a secret's value is
    never passed, use SECRET_CHANGED.
    """
    entry = Entry(event, *_describe(subject), changes=changes or {}, reason=reason)
    with _chain(vault) as head:
        columns, link, _canonical = next(_links(head, by, [entry], in_bulk))
        return AuditEvent.objects.create(**columns, hash=link)


def record_many(*, vault: Vault | None, by: Actor, entries: Sequence[Entry], in_bulk: bool = False) -> None:
    """Append up to 1,000 rows with one lock on the chain and one insert.

    `in_bulk` is for rows another row tells as a whole; pages that show what people did lately leave them out.
    """
    if not entries:
        return
    if len(entries) > MAX_BATCH:
        raise ValueError(f"An audit batch holds at most {MAX_BATCH} rows.")
    with _chain(vault) as head, connection.cursor() as cursor:
        # The canonical text a row's hash covers is the row itself, so it is written once.
        rows = [
            f'{text[:-1]},"hash":"{link.hex()}"{"" if in_bulk else _NOT_IN_BULK}}}'
            for _columns, link, text in _links(head, by, entries, in_bulk)
        ]
        cursor.execute(_INSERT_MANY, [f"[{','.join(rows)}]"])


def snapshot(instance: models.Model, fields: Sequence[str]) -> dict[str, Any]:
    """The values of some fields now, to be compared later with `diff`; of related rows their keys, too."""
    values: dict[str, Any] = {}
    for name in fields:
        values[name] = _plain(_shown(instance, name))
        if (key := _key_name(instance, name)) is not None:
            values[key] = getattr(instance, key)
    return values


def diff(before: dict[str, Any], instance: models.Model, fields: Sequence[str]) -> Changes:
    """What changed since `snapshot`, keyed by the fields' labels."""
    changes: Changes = {}
    for name in fields:
        old, new = before.get(name), _plain(_shown(instance, name))
        if old != new:
            changes[_label(instance, name)] = (old, new)
        elif (key := _key_name(instance, name)) is not None and before.get(key) != getattr(instance, key):
            # Two rows can have one name: the other row is a change all the same, and the keys tell them apart.
            changes[_label(instance, name)] = (f"{old} ({before.get(key)})", f"{new} ({getattr(instance, key)})")
    return changes


def created(instance: models.Model, fields: Sequence[str]) -> Changes:
    """The changes of a new record: every filled field from nothing to its value."""
    values = ((name, _plain(_shown(instance, name))) for name in fields)
    return {_label(instance, name): (None, value) for name, value in values if value not in (None, "", [])}


def facts(instance: models.Model, fields: Sequence[str]) -> dict[str, Any]:
    """The record as a copy shows it: every field's label with its value, empty ones too."""
    return {_label(instance, name): _plain(_shown(instance, name)) for name in fields}


def history(subject: models.Model, *parts: models.Model | models.QuerySet[Any]) -> models.QuerySet[AuditEvent]:
    """Everything recorded about one record, and about records that are parts of it, newest first.

    Of parts given as a query only the numbers are read: a connection may have thousands of lookups.
    """
    chain = subject.pk if isinstance(subject, Vault) else (getattr(subject, "vault_id", None) or INSTALLATION_CHAIN)
    ids: dict[str, list[str]] = {}
    for part in (subject, *parts):
        if isinstance(part, models.QuerySet):
            of_type = ids.setdefault(part.model._meta.label_lower, [])
            of_type.extend(str(pk) for pk in part.order_by().values_list("pk", flat=True))
        else:
            subject_type, subject_id, _ = _describe(part)
            ids.setdefault(subject_type, []).append(subject_id)
    wanted = models.Q()
    for subject_type, numbers in ids.items():
        wanted |= models.Q(subject_type=subject_type, subject_id__in=numbers)
    return AuditEvent.objects.filter(wanted, chain=chain).order_by("-sequence")


def link_hash(previous: bytes, row: AuditEvent) -> bytes:
    """The hash of one link: SHA-256 over the previous hash and the row's columns in canonical JSON."""
    columns = {name: getattr(row, name) for name in _COLUMNS}
    return hashlib.sha256(previous + canonical(_hashed(columns, _moment(row.at), row.in_bulk))).digest()


def _hashed(columns: dict[str, Any], at: str, in_bulk: bool) -> dict[str, Any]:
    """What the hash covers. Bulk is told only where it is so: rows written before there was the mark keep theirs."""
    return {**columns, "at": at, "in_bulk": True} if in_bulk else {**columns, "at": at}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@contextmanager
def _chain(vault: Vault | None) -> Iterator[AuditHead]:
    """A chain's end, locked; whoever appended has moved it."""
    if not connection.in_atomic_block:
        raise RuntimeError("Audit rows are written inside the transaction of the change they describe.")
    chain = vault.pk if vault is not None else INSTALLATION_CHAIN
    AuditHead.objects.bulk_create([AuditHead(chain=chain)], ignore_conflicts=True)
    head = AuditHead.objects.select_for_update().get(chain=chain)
    yield head
    AuditHead.objects.filter(pk=head.pk).update(sequence=head.sequence, hash=head.hash)


def _links(
    head: AuditHead, by: Actor, entries: Sequence[Entry], in_bulk: bool
) -> Iterator[tuple[dict[str, Any], bytes, str]]:
    """The columns, hash and canonical text of each row; moves `head` along."""
    actor, actor_id = _actor(by)
    where = _origin.get() or Origin()
    # The time is taken under the chain's lock, so that it never runs against the sequence.
    now = clock.now()
    at, previous = _moment(now), bytes(head.hash)
    for entry in entries:
        head.sequence += 1
        columns = {
            "chain": head.chain,
            "sequence": head.sequence,
            "actor": actor,
            "actor_id": actor_id,
            "event": entry.event,
            "subject_type": entry.subject_type,
            "subject_id": entry.subject_id,
            "subject_label": _text(entry.subject_label)[:255],
            "changes": {key: [_plain(old), _plain(new)] for key, (old, new) in entry.changes.items()},
            "reason": _text(entry.reason),
            "source_ip": where.source_ip,
            "request_id": where.request_id,
        }
        text = canonical(_hashed(columns, at, in_bulk))
        head.hash = previous = hashlib.sha256(previous + text).digest()
        yield {**columns, "at": now, "in_bulk": in_bulk}, previous, text.decode()


def _actor(by: Actor) -> tuple[str, str]:
    if isinstance(by, System):
        return by.name, ""
    user = by.user if isinstance(by, Membership) else by
    return f"{user.name} <{user.email}>"[:255], str(user.pk)


def _describe(subject: models.Model | None) -> tuple[str, str, str]:
    if subject is None:
        return "", "", ""
    return subject._meta.label_lower, str(subject.pk), str(subject)


def _shown(instance: models.Model, name: str) -> Any:
    """A field's value as people know it: the label of a choice, not its API name."""
    display = getattr(instance, f"get_{name}_display", None)
    return str(display()) if display is not None else getattr(instance, name)


def _key_name(instance: models.Model, name: str) -> str | None:
    """The attribute that holds the key of a related row; None for every other field."""
    field_ = instance._meta.get_field(name)
    return field_.attname if isinstance(field_, models.ForeignKey) else None


def _label(instance: models.Model, name: str) -> str:
    field_ = instance._meta.get_field(name)
    return str(getattr(field_, "verbose_name", name))


def _plain(value: Any) -> Any:
    """A value as the trail keeps it: JSON without floats that print differently, never an object."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, UUID | Decimal | date | time | float | models.Model):
        return str(value)
    raise TypeError(f"The audit trail cannot keep a {type(value).__name__}.")


def _text(value: str) -> str:
    # PostgreSQL text holds no NUL, JSON no lone surrogate; a trail that refuses the row would refuse the change.
    return str(value).replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
