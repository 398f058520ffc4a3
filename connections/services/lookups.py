"""Reference lookups: add, change, switch, delete (veeva-core section 8.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from connections import rules
from connections.constants import LookupType, RecordStatus
from connections.models import Connection, ReferenceLookup
from connections.services import parts
from connections.services.locking import lock_record
from connections.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can_any, ensure

MANAGERS = (Permission.MANAGE_CONNECTIONS, Permission.MANAGE_INTEGRATIONS)
AUDITED = ["connection", "type", "name", "target_key_field", "source_key", "target_key", "status"]
NAME_LENGTH = 128
KEY_LENGTH = 255
_API_NAME = re.compile(rules.STANDARD_NAME.strip("^$"))
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")


def refusal(connection: Connection) -> str:
    """Why a connection has no reference lookups; empty when it may."""
    return "" if connection.is_vault_to_vault else "Only Vault to Vault connections support reference lookups."


def may_manage(member: Membership) -> bool:
    """May this member change lookups?"""
    return can_any(member, MANAGERS)


def add(
    *,
    connection: Connection,
    type: str,
    name: str,
    source_key: str,
    target_key: str,
    by: Membership,
    now: datetime,
    target_key_field: str = "",
    creation_key: UUID | None = None,
) -> ReferenceLookup:
    """One row of a lookup. `name` is the target object, the picklist, or the name of a generic lookup.

    Keys are kept and compared exactly as given. The same `creation_key` again returns the first row.
    """
    ensure(by, *MANAGERS)
    kind = LookupType(type)
    with transaction.atomic():
        owner = lock_record(connection, by)
        if again := _made_before(creation_key, by):
            return again
        if sentence := refusal(owner):
            raise Refused(sentence)
        check(owner, kind, name, target_key_field, source_key, target_key)
        refuse_taken(owner, kind, name, source_key)
        made = ReferenceLookup(
            vault=by.vault,
            connection=owner,
            type=kind.value,
            name=name,
            target_object=name if kind is LookupType.OBJECT else "",
            target_key_field=target_key_field,
            source_key=source_key,
            target_key=target_key,
            creation_key=creation_key,
            created_at=now,
            modified_at=now,
        )
        made.save(force_insert=True)
        changes = audit.created(made, AUDITED)
        audit.record(vault=by.vault, by=by, event="reference_lookup.created", subject=made, changes=changes)
    return made


def edit(
    *,
    lookup: ReferenceLookup,
    source_key: str,
    target_key: str,
    by: Membership,
    now: datetime,
    target_key_field: str = "",
    seen: datetime | None = None,
) -> ReferenceLookup:
    """Change the keys of a row; `seen` is its `modified_at` when the form was shown."""
    ensure(by, *MANAGERS)
    with transaction.atomic():
        locked = _lock(lookup, by)
        if seen is not None and locked.modified_at != seen:
            raise Refused("Somebody changed this lookup since you opened it; look at it again before you save.")
        kind = LookupType(locked.type)
        check(locked.connection, kind, locked.name, target_key_field, source_key, target_key)
        refuse_taken(locked.connection, kind, locked.name, source_key, but=locked)

        def change() -> None:
            locked.source_key, locked.target_key = source_key, target_key
            locked.target_key_field = target_key_field

        _save(locked, change, "reference_lookup.edited", by=by, now=now)
    return locked


def set_status(*, lookup: ReferenceLookup, status: str, by: Membership, now: datetime) -> ReferenceLookup:
    """Let a row translate or not; nothing is recorded when it is so already."""
    ensure(by, *MANAGERS)
    wanted = RecordStatus(status)
    with transaction.atomic():
        locked = _lock(lookup, by)
        event = "activated" if wanted is RecordStatus.ACTIVE else "inactivated"
        _save(locked, lambda: setattr(locked, "status", wanted.value), f"reference_lookup.{event}", by=by, now=now)
    return locked


def delete(*, lookup: ReferenceLookup, by: Membership) -> None:
    """Delete a row. One that is gone already is no error."""
    ensure(by, *MANAGERS)
    with transaction.atomic():
        rows = ReferenceLookup.objects.select_for_update(of=("self",)).select_related("connection")
        locked = rows.filter(pk=lookup.pk, vault=by.vault_id).first()
        if locked is None:
            return
        whole = locked.connection
        parts.record_deleted(locked, whole=whole, fields=AUDITED, event="reference_lookup.deleted", by=by)
        locked.delete()


def check(
    connection: Connection, type: LookupType, name: str, target_key_field: str, source_key: str, target_key: str
) -> None:
    """Refuse names and keys that break a rule of their field."""
    if type is LookupType.GENERIC:
        _check_generic_name(connection, name)
    elif not _is_api_name(name):
        what = "Target Object" if type is LookupType.OBJECT else "Picklist"
        raise Refused(f"{what} takes an API name, for example country__v.", field="name")
    if type is LookupType.OBJECT and not _is_api_name(target_key_field):
        sentence = "Target Key Field takes the API name of a field of the target object, for example external_id__v."
        raise Refused(sentence, field="target_key_field")
    if type is not LookupType.OBJECT and target_key_field:
        raise Refused("Only Object lookups have a Target Key Field.", field="target_key_field")
    for field, label, value in (("source_key", "Source Key", source_key), ("target_key", "Target Key", target_key)):
        if not value.strip() or len(value) > KEY_LENGTH or _UNSEEN.search(value):
            raise Refused(f"{label} is a text of 1 to {KEY_LENGTH} characters in one line.", field=field)


def refuse_taken(
    connection: Connection, type: LookupType, name: str, source_key: str, *, but: ReferenceLookup | None = None
) -> None:
    """Refuse a source key the lookup has already, naming the row that has it."""
    others = connection.reference_lookups.filter(type=type, name=name, source_key=source_key)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if there := others.first():
        off = "" if there.is_active else " (Inactive)"
        raise Refused(
            f"In {name} the Source Key “{source_key}” already stands for “{there.target_key}”{off}; change that row.",
            field="source_key",
        )


def _check_generic_name(connection: Connection, name: str) -> None:
    try:
        rules.check_own_name(name, label="Name")
    except rules.RuleBroken as error:
        # A standard connection brings lookups whose names are not the customer's; people add rows to those too.
        if not connection.reference_lookups.filter(type=LookupType.GENERIC, name=name).exists():
            raise Refused(str(error), field="name") from error


def _is_api_name(name: str) -> bool:
    return len(name) <= NAME_LENGTH and _API_NAME.fullmatch(name) is not None


def _lock(lookup: ReferenceLookup, by: Membership) -> ReferenceLookup:
    rows = ReferenceLookup.objects.select_for_update(of=("self",)).select_related("connection")
    found = rows.filter(pk=lookup.pk, vault=by.vault_id).first()
    if found is None:
        raise Refused("This lookup was deleted meanwhile.")
    return found


def _save(locked: ReferenceLookup, change: Callable[[], None], event: str, *, by: Membership, now: datetime) -> None:
    before = audit.snapshot(locked, AUDITED)
    change()
    changes = audit.diff(before, locked, AUDITED)
    if not changes:
        return
    locked.modified_at = now
    try:
        with transaction.atomic():
            locked.save()
    except IntegrityError as error:
        # Somebody gave the same source key to another row between the look and the write.
        kind = LookupType(locked.type)
        refuse_taken(locked.connection, kind, locked.name, locked.source_key, but=locked)
        raise Refused("The lookup could not be saved; open it again.") from error
    audit.record(vault=by.vault, by=by, event=event, subject=locked, changes=changes)


def _made_before(creation_key: UUID | None, by: Membership) -> ReferenceLookup | None:
    if creation_key is None:
        return None
    return ReferenceLookup.objects.filter(vault=by.vault_id, creation_key=creation_key).first()
