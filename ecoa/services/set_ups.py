"""A set-up as people handle it: answer, test, finish, or throw away. Nothing outside of it exists before *Finish*."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from connections.constants import AuthorizationType
from connections.models import Connection
from connections.services import authorizations, creating, names
from connections.services.refusals import Refused as ConnectionRefused
from ecoa.models import SetUp, SetUpState, StudyMapping, TestState
from ecoa.services import mappings, sites
from ecoa.services.actors import ensure_manager
from ecoa.services.refusals import Refused
from ecoa.set_up import carrying
from vaultadmin import audit, secrets, wake
from vaultadmin.models import Membership, Vault
from vaultadmin.permissions import Permission, can
from vaultadmin.strict_json import canonical
from vaultadmin.worklist import notices

PURPOSE = "eCOA set-up"
SHEET_TOPIC = "ecoa.sheet"
NEEDED = (Permission.CONNECTION_CREATE, Permission.AUTHORIZATION_CREATE, Permission.AUTHORIZATION_EDIT)
_AUDITED = [
    "name",
    "external_study_id",
    "site_numbers",
    "connection",
    "base_url",
    "api_version",
    "system_id",
    "tenant_id",
]


def missing_permissions(member: Membership) -> list[str]:
    """What the member's profile lacks to finish a set-up that makes a new connection."""
    return [str(permission.label) for permission in NEEDED if not can(member, permission)]


def start(
    *,
    name: str,
    external_study_id: str,
    site_numbers: list[str],
    connection: Connection | None,
    by: Membership,
    now: datetime,
) -> SetUp:
    """Begin a set-up with its first answers. The same open study again is answered with the one there is."""
    ensure_manager(by, by.vault_id)
    _check_study(by, name, external_study_id, connection)
    with transaction.atomic():
        # Two clicks, or two people, at once wait for each other here.
        Vault.objects.select_for_update(no_key=True).get(pk=by.vault_id)
        again = SetUp.objects.filter(
            vault=by.vault_id, state=SetUpState.OPEN, external_study_id=external_study_id
        ).first()
        if again is not None:
            return again
        made = SetUp.objects.create(
            vault=by.vault,
            name=name,
            external_study_id=external_study_id,
            site_numbers=site_numbers,
            connection=connection,
            started_by=by,
            created_at=now,
            changed_at=now,
        )
        changes = audit.created(made, _AUDITED)
        audit.record(vault=by.vault, by=by, event="set_up.started", subject=made, changes=changes)
    return made


def change_study(
    set_up: SetUp,
    *,
    name: str,
    external_study_id: str,
    site_numbers: list[str],
    connection: Connection | None,
    by: Membership,
    now: datetime,
) -> None:
    """Answer the first step anew."""
    _check_study(by, name, external_study_id, connection)
    with transaction.atomic():
        locked = _locked(set_up, by)
        before = audit.snapshot(locked, _AUDITED)
        locked.name, locked.external_study_id, locked.site_numbers = name, external_study_id, site_numbers
        locked.connection = connection
        _save(locked, before, {}, by, now)


def enter_credentials(
    set_up: SetUp,
    *,
    base_url: str,
    api_version: str,
    system_id: str,
    tenant_id: str,
    secret: str,
    by: Membership,
    now: datetime,
) -> None:
    """Answer the step Credentials; an empty `secret` keeps the stored one, unless the host is another."""
    with transaction.atomic():
        locked = _locked(set_up, by)
        before = audit.snapshot(locked, _AUDITED)
        locked.api_version, locked.tenant_id = api_version, tenant_id
        changes: audit.Changes = {}
        if locked.connection_id is None:
            changes = _take_secret(locked, base_url, system_id, secret, by)
        _save(locked, before, changes, by, now)


def ask_test(set_up: SetUp, *, by: Membership, now: datetime) -> None:
    """Let a worker test the answers."""
    with transaction.atomic():
        locked = _locked(set_up, by)
        if not has_credentials(locked):
            raise Refused("Enter the credentials first.")
        if locked.test_state in (TestState.QUEUED, TestState.RUNNING):
            return
        locked.test_state, locked.steps, locked.tested = TestState.QUEUED, [], fingerprint(locked)
        locked.lease_token = locked.lease_until = None
        locked.save()
        # Before the calls: a secret is not used without a trace, whatever happens after.
        host = urlsplit(locked.connection.url if locked.connection else locked.base_url).hostname
        audit.record(vault=by.vault, by=by, event="set_up.tested", subject=locked, changes={"host": (None, host)})
        wake.wake(carrying.LANE, set_up_id=locked.pk)


def finish(set_up: SetUp, *, by: Membership, now: datetime) -> StudyMapping:
    """Make everything at once: authorization, connection, mapping and sites. All of it, or nothing."""
    with transaction.atomic():
        locked = _locked(set_up, by)
        if not_yet := finish_refusal(locked, by):
            raise Refused(not_yet)
        try:
            connection = locked.connection or _connection(locked, by, now)
        except ConnectionRefused as refusal:
            raise Refused(str(refusal)) from refusal
        mapping = mappings.create(
            vault=by.vault,
            by=by,
            name=locked.name,
            connection=connection,
            tenant_id=locked.tenant_id,
            external_study_id=locked.external_study_id,
            api_version=locked.api_version,
        )
        for number in locked.site_numbers:
            sites.add(mapping=mapping, number=number, by=by)
        locked.mapping = mapping
        _end(locked, SetUpState.FINISHED, by, now)
    return mapping


def finish_refusal(set_up: SetUp, by: Membership) -> str:
    """Why a set-up cannot be finished now; empty when it can."""
    if set_up.test_state != TestState.PASSED:
        return "Test it first; a set-up is finished when its test has passed."
    if is_outdated(set_up):
        return "Something was changed since the test. Test it again."
    missing = missing_permissions(by) if set_up.connection_id is None else []
    return f"Your security profile does not include {', '.join(f'“{name}”' for name in missing)}." if missing else ""


def discard(set_up: SetUp, *, by: Membership, now: datetime) -> None:
    """Throw a set-up and its secret away."""
    with transaction.atomic():
        _end(_locked(set_up, by), SetUpState.DISCARDED, by, now)


def mail_sheet(set_up: SetUp, *, by: Membership, now: datetime) -> None:
    """Send the sheet to the member who asks, to be forwarded: nobody else gets mail at a form's word."""
    if not by.user.mail_notices:
        raise Refused("Your account gets no mails. Turn on E-mail notices first.")
    with transaction.atomic():
        locked = _locked(set_up, by)
        subject = f"{locked.pk}:{now:%Y%m%d%H%M}"
        notices.tell(vault=by.vault, topic=SHEET_TOPIC, subject=subject, to=[by], now=now, data={"set_up": locked.pk})
        audit.record(vault=by.vault, by=by, event="set_up.sheet_mailed", subject=locked)


def has_credentials(set_up: SetUp) -> bool:
    """Is everything there that a test needs?"""
    if set_up.connection_id is not None:
        return bool(set_up.tenant_id)
    return bool(set_up.system_id and set_up.tenant_id and set_up.secret_id)


def is_outdated(set_up: SetUp) -> bool:
    """Did an answer change since the test?"""
    return bool(set_up.tested) and set_up.tested != fingerprint(set_up)


def fingerprint(set_up: SetUp) -> str:
    """A digest of everything the outcome of a test depends on, the secret by when it was changed."""
    values: dict[str, Any] = {name: getattr(set_up, name) for name in _AUDITED if name not in ("name", "connection")}
    values["connection"] = set_up.connection_id
    values["secret"] = set_up.secret.changed_at.isoformat() if set_up.secret is not None else ""
    return hashlib.sha256(canonical(values)).hexdigest()


def _take_secret(locked: SetUp, base_url: str, system_id: str, secret: str, by: Membership) -> audit.Changes:
    moved = urlsplit(base_url).hostname != urlsplit(locked.base_url).hostname
    try:
        creating.check_url(base_url)
    except ConnectionRefused as refusal:
        raise Refused(str(refusal), field="base_url") from refusal
    if not secret and locked.secret is None:
        raise Refused("Enter the secret.", field="secret")
    if not secret and moved:
        raise Refused("The host is another one, so enter the secret again.", field="secret")
    locked.base_url, locked.system_id = base_url, system_id
    if not secret:
        return {}
    had = locked.secret is not None
    if locked.secret is None:
        locked.secret = secrets.store(vault=by.vault, purpose=PURPOSE, value=secret, by=by)
    else:
        secrets.replace(locked.secret, value=secret, by=by)
    return {"secret": (audit.SECRET_CHANGED if had else None, audit.SECRET_CHANGED)}


def _check_study(by: Membership, name: str, external_study_id: str, connection: Connection | None) -> None:
    ensure_manager(by, by.vault_id)
    known = StudyMapping.objects.filter(vault=by.vault_id)
    if known.filter(external_study_id=external_study_id).exists():
        raise Refused("A study with this ID is set up already. Add sites on its mapping.", field="external_study_id")
    if known.filter(name=name).exists():
        raise Refused("Another study of this vault has this name.", field="name")
    if connection is not None and not mappings.usable_connections(by.vault).filter(pk=connection.pk).exists():
        raise Refused("Choose an External connection with a Client Credential authorization.", field="connection")


def _connection(locked: SetUp, by: Membership, now: datetime) -> Connection:
    if locked.secret is None:
        raise Refused("Enter the secret.")
    authorization = authorizations.create(
        type=AuthorizationType.CLIENT_CREDENTIALS,
        name=f"eCOA {locked.name}"[:128],
        identity=locked.system_id,
        secret=secrets.reveal(locked.secret),
        by=by,
        now=now,
    )
    wanted = re.sub(r"[^a-z0-9]+", "_", f"ecoa_{locked.name}".lower()).strip("_")[:40].strip("_")
    return creating.create_external(
        name=f"eCOA {locked.name}"[:128],
        api_name=names.free(by.vault, wanted),
        url=locked.base_url,
        authorization=authorization,
        description="Participants travel to eCOA through this connection.",
        by=by,
        now=now,
    )


def _locked(set_up: SetUp, by: Membership) -> SetUp:
    ensure_manager(by, set_up.vault_id)
    rows = SetUp.objects.select_for_update(of=("self",)).select_related("vault", "secret", "connection")
    locked = rows.get(pk=set_up.pk)
    if locked.state != SetUpState.OPEN:
        raise Refused("This set-up is over.")
    return locked


def _save(locked: SetUp, before: dict[str, Any], more: audit.Changes, by: Membership, now: datetime) -> None:
    changes = audit.diff(before, locked, _AUDITED) | more
    if changes:
        locked.changed_at = now
        locked.save()
        audit.record(vault=locked.vault, by=by, event="set_up.changed", subject=locked, changes=changes)


def _end(locked: SetUp, state: SetUpState, by: Membership, now: datetime) -> None:
    secret, locked.secret = locked.secret, None
    changes: audit.Changes = {"state": (locked.state, state.value)}
    locked.state, locked.changed_at, locked.test_state = state, now, TestState.NONE
    locked.lease_token = locked.lease_until = None
    locked.save()
    if secret is not None:
        secrets.discard(secret)
    audit.record(vault=locked.vault, by=by, event=f"set_up.{state.value}", subject=locked, changes=changes)
