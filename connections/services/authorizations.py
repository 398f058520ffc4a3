"""Create and edit Connection Authorizations; their secrets go in and never come out again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from connections.constants import AuthorizationType, RecordStatus
from connections.models import ConnectionAuthorization
from connections.services.refusals import Refused
from vaultadmin import audit, secrets
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

PURPOSE = "connection authorization"
_AUDITED = ["type", "name", "status", "username", "client_id"]
_NAMED = 3
_IDENTITY = {AuthorizationType.BASIC: "username", AuthorizationType.CLIENT_CREDENTIALS: "client_id"}


def create(
    *,
    type: str,
    name: str,
    identity: str,
    secret: str,
    by: Membership,
    now: datetime,
    creation_key: UUID | None = None,
) -> ConnectionAuthorization:
    """A new authorization. `identity` is the User Name or Client ID, `secret` the Password or Client Secret."""
    ensure(by, Permission.AUTHORIZATION_CREATE)
    if again := _made_before(creation_key, by):
        return again
    kind = AuthorizationType(type)
    _check_identity(kind, identity)
    if not secret:
        raise Refused(
            f"Enter the {'Password' if kind is AuthorizationType.BASIC else 'Client Secret'}.", field="secret"
        )
    try:
        with transaction.atomic():
            return _insert(kind, name, identity, secret, by, now, creation_key)
    except IntegrityError:
        # The same click arrived twice at once; the row the other one made is the answer.
        if again := _made_before(creation_key, by):
            return again
        raise


def edit(
    *,
    authorization: ConnectionAuthorization,
    name: str,
    identity: str,
    secret: str,
    by: Membership,
    now: datetime,
    status: str = RecordStatus.ACTIVE,
    seen: datetime | None = None,
) -> ConnectionAuthorization:
    """Change an authorization; an empty `secret` keeps the stored one. Nothing is sent with an inactive one."""
    ensure(by, Permission.AUTHORIZATION_EDIT)
    with transaction.atomic():
        locked = ConnectionAuthorization.objects.select_for_update().get(pk=authorization.pk, vault=by.vault_id)
        if seen is not None and locked.modified_at != seen:
            raise Refused("Somebody changed this authorization since you opened it; look at it again before you save.")
        _check_identity(AuthorizationType(locked.type), identity)
        before = audit.snapshot(locked, _AUDITED)
        locked.name, locked.status = name, RecordStatus(status).value
        setattr(locked, _IDENTITY[AuthorizationType(locked.type)], identity)
        changes = audit.diff(before, locked, _AUDITED)
        if secret:
            changes[locked.secret_label] = (audit.SECRET_CHANGED if locked.secret else None, audit.SECRET_CHANGED)
            _put_secret(locked, secret, by)
        if changes:
            locked.modified_at = now
            locked.save()
            audit.record(vault=by.vault, by=by, event="authorization.edited", subject=locked, changes=changes)
    return locked


def delete(*, authorization: ConnectionAuthorization, by: Membership) -> None:
    """Remove an authorization no connection uses, and its secret with it; its history stays in the trail."""
    ensure(by, Permission.AUTHORIZATION_DELETE)
    with transaction.atomic():
        rows = ConnectionAuthorization.objects.select_for_update().filter(pk=authorization.pk, vault=by.vault_id)
        locked = rows.first()
        if locked is None:
            raise Refused("Somebody has deleted this authorization already.")
        if refusal := delete_refusal(locked):
            raise Refused(refusal)
        changes = {label: (value, None) for label, (_, value) in audit.created(locked, _AUDITED).items()}
        audit.record(vault=by.vault, by=by, event="authorization.deleted", subject=locked, changes=changes)
        secret = locked.secret
        locked.delete()
        if secret is not None:
            secrets.discard(secret)


def delete_refusal(authorization: ConnectionAuthorization) -> str:
    """Why this authorization cannot be deleted; empty when it can."""
    users = [
        f"“{name}”" for name in authorization.connections.order_by("name", "pk").values_list("name", flat=True)[:4]
    ]
    if not users:
        return ""
    return f"{', '.join(users[:3])}{' and others use' if users[3:] else ' uses' if len(users) == 1 else ' use'} it."


def _check_identity(kind: AuthorizationType, identity: str) -> None:
    if not identity:
        raise Refused(f"Enter the {'User Name' if kind is AuthorizationType.BASIC else 'Client ID'}.", field="identity")
    if kind is AuthorizationType.BASIC and ":" in identity:
        # RFC 7617: the first colon of the header ends the user name.
        raise Refused("A User Name cannot hold a colon, because Basic Auth puts one behind it.", field="identity")


def _put_secret(authorization: ConnectionAuthorization, value: str, by: Membership) -> None:
    if authorization.secret is None:
        authorization.secret = secrets.store(vault=by.vault, purpose=PURPOSE, value=value, by=by)
    else:
        secrets.replace(authorization.secret, value=value, by=by)


def _insert(
    kind: AuthorizationType,
    name: str,
    identity: str,
    secret: str,
    by: Membership,
    now: datetime,
    creation_key: UUID | None,
) -> ConnectionAuthorization:
    authorization = ConnectionAuthorization(
        vault=by.vault,
        type=kind,
        name=name,
        secret=secrets.store(vault=by.vault, purpose=PURPOSE, value=secret, by=by),
        creation_key=creation_key,
        created_at=now,
        modified_at=now,
        **{_IDENTITY[kind]: identity},
    )
    authorization.save(force_insert=True)
    changes = audit.created(authorization, _AUDITED)
    changes[authorization.secret_label] = (None, audit.SECRET_CHANGED)
    audit.record(vault=by.vault, by=by, event="authorization.created", subject=authorization, changes=changes)
    return authorization


def _made_before(creation_key: UUID | None, by: Membership) -> ConnectionAuthorization | None:
    if creation_key is None:
        return None
    return ConnectionAuthorization.objects.filter(vault=by.vault_id, creation_key=creation_key).first()
