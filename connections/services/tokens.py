"""Create, edit and delete the Vault tokens of a vault (veeva-core section 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from connections import rules, token_types
from connections.constants import CloneBehavior, TokenType
from connections.models import ConnectionAuthorization, VaultToken
from connections.models.token import MOST_OWN_TOKENS
from connections.selectors import tokens as selectors
from connections.services import secret_guard
from connections.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership, Vault
from vaultadmin.permissions import Permission, ensure

AUDITED = ["name", "label", "is_active", "type", "value", "clone_behavior", "system_managed"]
_NAMED = 3


def create(
    *,
    name: str,
    label: str,
    type: str,
    value: str,
    clone_behavior: str,
    by: Membership,
    now: datetime,
    is_active: bool = True,
    secrets: Mapping[int, str] | None = None,
    creation_key: UUID | None = None,
) -> VaultToken:
    """A new token. `secrets` are those of authorizations it would lead, typed again (see `led_authorizations`)."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    if again := _made_before(creation_key, by):
        return again
    _check_name(name)
    token = VaultToken(vault=by.vault, name=name, creation_key=creation_key, created_at=now, modified_at=now)
    try:
        with transaction.atomic():
            # Two people adding the tenth token at once wait for each other here.
            Vault.objects.select_for_update(no_key=True).get(pk=by.vault_id)
            _check_room(by)
            _set(token, label=label, type=type, value=value, clone_behavior=clone_behavior, is_active=is_active)
            _check_led(token, before="", typed=secrets or {})
            token.save(force_insert=True)
            changes = audit.created(token, AUDITED)
            audit.record(vault=by.vault, by=by, event="vault_token.created", subject=token, changes=changes)
    except IntegrityError as error:
        # The same click arrived twice at once, or somebody else took the name.
        if again := _made_before(creation_key, by):
            return again
        raise Refused(f"This Vault already has a token “{name}”; choose another name.", field="name") from error
    return token


def edit(
    *,
    token: VaultToken,
    label: str,
    type: str,
    value: str,
    clone_behavior: str,
    is_active: bool,
    by: Membership,
    now: datetime,
    secrets: Mapping[int, str] | None = None,
    seen: datetime | None = None,
) -> VaultToken:
    """Change everything but the name. A token that connections use cannot be made inactive."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    with secret_guard.watched(by=by), transaction.atomic():
        locked = VaultToken.objects.select_for_update().get(pk=token.pk, vault=by.vault_id)
        if seen is not None and locked.modified_at != seen:
            raise Refused("Somebody changed this token since you opened it; look at it again before you save.")
        if refusal := edit_refusal(locked):
            raise Refused(refusal)
        before, former = audit.snapshot(locked, AUDITED), effective(locked)
        if locked.is_active and not is_active and (refusal := _use_refusal(locked, "inactivate")):
            raise Refused(refusal, field="is_active")
        _set(locked, label=label, type=type, value=value, clone_behavior=clone_behavior, is_active=is_active)
        _check_led(locked, before=former, typed=secrets or {})
        if changes := audit.diff(before, locked, AUDITED):
            locked.modified_at = now
            locked.save()
            audit.record(vault=by.vault, by=by, event="vault_token.edited", subject=locked, changes=changes)
    return locked


def delete(*, token: VaultToken, by: Membership) -> None:
    """Remove a token that no connection uses; its history stays in the trail."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    with transaction.atomic():
        locked = VaultToken.objects.select_for_update().filter(pk=token.pk, vault=by.vault_id).first()
        if locked is None:
            raise Refused("Somebody has deleted this token already.")
        if refusal := delete_refusal(locked):
            raise Refused(refusal)
        changes = {label: (value, None) for label, (_, value) in audit.created(locked, AUDITED).items()}
        audit.record(vault=by.vault, by=by, event="vault_token.deleted", subject=locked, changes=changes)
        locked.delete()


def create_refusal(vault_id: int) -> str:
    """Why no further token can be created; empty when one can."""
    return full_refusal(VaultToken.objects.filter(vault=vault_id, system_managed=False).count())


def full_refusal(own: int) -> str:
    """The same for somebody who has counted."""
    return f"A Vault can have {MOST_OWN_TOKENS} tokens of its own, and it has {own}." if own >= MOST_OWN_TOKENS else ""


def edit_refusal(token: VaultToken) -> str:
    """Why this token cannot be changed; empty when it can."""
    return "This token is system managed and cannot be changed." if token.system_managed else ""


def delete_refusal(token: VaultToken) -> str:
    """Why this token cannot be deleted; empty when it can."""
    if token.system_managed:
        return "This token is system managed and cannot be deleted."
    return _use_refusal(token, "delete")


def led_authorizations(vault_id: int, name: str) -> list[ConnectionAuthorization]:
    """The authorizations whose stored secret goes where the token leads: another value asks for each secret again."""
    led = (connection.authorization for connection in selectors.connections_led_by(vault_id, name))
    return list(dict.fromkeys(authorization for authorization in led if authorization is not None))


def effective(token: VaultToken) -> str:
    """What the token resolves to now; empty while it resolves to nothing."""
    return token.value if token.is_active else ""


def _check_name(name: str) -> None:
    try:
        token_types.check_name(name)
    except rules.RuleBroken as error:
        raise Refused(str(error), field="name") from error


def _check_room(by: Membership) -> None:
    if refusal := create_refusal(by.vault_id):
        raise Refused(refusal)


def _set(token: VaultToken, *, label: str, type: str, value: str, clone_behavior: str, is_active: bool) -> None:
    if not label.strip() or len(label) > token_types.LABEL_LENGTH:
        raise Refused(f"Enter a Label of at most {token_types.LABEL_LENGTH} characters.", field="label")
    try:
        token.value = token_types.canonical(type, value)
    except rules.RuleBroken as error:
        raise Refused(str(error), field="value") from error
    token.label, token.is_active = label, is_active
    token.type, token.clone_behavior = TokenType(type).value, CloneBehavior(clone_behavior).value


def _check_led(token: VaultToken, *, before: str, typed: Mapping[int, str]) -> None:
    """Where a token decides the host, another value sends stored secrets elsewhere: only who knows them may do that."""
    after = effective(token)
    if not after or after == before:
        return
    for connection in selectors.connections_led_by(token.vault_id, token.name):
        if (authorization := connection.authorization) is not None:
            why = f"{token.text} stands in the host of “{connection}”"
            field = f"secret_{authorization.pk}"
            secret_guard.ensure_known(authorization, typed.get(authorization.pk, ""), why=why, field=field)


def _use_refusal(token: VaultToken, verb: str) -> str:
    users = [str(connection) for connection in selectors.connections_with(token.vault_id, token.name)[: _NAMED + 1]]
    if not users:
        return ""
    more = " and others" if len(users) > _NAMED else ""
    named = ", ".join(f"“{name}”" for name in users[:_NAMED])
    return f"The URL of {named}{more} uses {token.text}; change it there before you {verb} the token."


def _made_before(creation_key: UUID | None, by: Membership) -> VaultToken | None:
    if creation_key is None:
        return None
    return VaultToken.objects.filter(vault=by.vault_id, creation_key=creation_key).first()
