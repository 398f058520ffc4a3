"""One of every thing an address can name. A new kind of id without an entry here fails the guard."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.db import transaction

from connections.constants import (
    APPROVAL_TASK,
    AuthorizationType,
    CloneBehavior,
    IntegrationPointType,
    LookupType,
    TokenType,
)
from connections.services import authorizations, creating, integration_points, integrations, lookups
from connections.services import tokens as vault_tokens
from tests.factories.connections import make_certificate
from tests.guards import alert_objects, ecoa_objects, incoming_objects, message_objects, spark_objects
from tests.guards.routes import Route
from vaultadmin import audit, clock, standard_profiles
from vaultadmin.models import ApiSession, Delegation, Membership, SecurityProfile, Vault
from vaultadmin.models.delegation import day_of
from vaultadmin.permissions import Permission
from vaultadmin.sandboxes import services as sandboxes
from vaultadmin.services import api_sessions, tokens
from vaultadmin.worklist import delegating
from vaultadmin.worklist import services as worklist

BY = audit.System("Guard")
_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")


def build(vault: Vault, people: dict[str, Membership]) -> dict[str, Any]:
    """Ids by argument name; where two kinds share a name, by `<first word of the address>:<name>`."""
    make_certificate()
    owner = people[standard_profiles.VAULT_OWNER.api_name]
    profile = SecurityProfile.objects.create(vault=vault, name="Guarded", api_name=f"guarded_{vault.pk}")
    token = tokens.create_token(member=owner, name="Guarded", scopes=[Permission.API_ACCESS], by=owner, now=clock.now())
    authorization = authorizations.create(
        type=AuthorizationType.CLIENT_CREDENTIALS,
        name="Guarded",
        identity="system",
        secret="open sesame",
        by=owner,
        now=clock.now(),
    )
    vault_token = vault_tokens.create(
        name="guarded",
        label="Guarded",
        type=TokenType.STRING,
        value="kept",
        clone_behavior=CloneBehavior.CLEAR,
        by=owner,
        now=clock.now(),
    )
    connection = creating.create_vault_to_vault(
        name="Guarded", api_name=f"guarded_{vault.pk}", by=owner, now=clock.now()
    )
    integration = integrations.create(
        connection=connection, name="Guarded", api_name="guarded__c", by=owner, now=clock.now()
    )
    point = integration_points.add(
        integration=integration,
        type=IntegrationPointType.RECEIVER,
        name="Guarded",
        api_name="guarded_point__c",
        by=owner,
        now=clock.now(),
    )
    lookup = lookups.add(
        connection=connection,
        type=LookupType.PICKLIST,
        name="country__v",
        source_key="U.S.",
        target_key="United States",
        by=owner,
        now=clock.now(),
    )
    with transaction.atomic():
        task = worklist.open_task(
            vault=vault, kind=APPROVAL_TASK, subject=connection, title="Guarded", by=BY, now=clock.now()
        )
    return {
        "task_id": task.pk,
        "delegation_id": _lent(people).pk,
        "lookup_id": lookup.pk,
        "integration_id": integration.pk,
        "point_id": point.pk,
        "connections:api_name": connection.api_name,
        "history:kind": "connection",
        "key": connection.pk,
        "authorization_id": authorization.pk,
        "certificate_id": make_certificate().certificate_id,
        "client_id": connection.clients.get().pk,
        "peering:name": "connect",
        "api:version": "v25.1",
        "member_id": people[standard_profiles.READ_ONLY.api_name].pk,
        "security-profiles:api_name": profile.api_name,
        "sandbox_id": sandboxes.create(source=vault, name=f"Guarded {vault.pk}", by=owner, now=clock.now()).pk,
        "token_id": token.token.pk,
        "api_session_id": _signed_in(people).pk,
        "vault_token_id": vault_token.pk,
        **incoming_objects.build(owner),
        **spark_objects.build(owner),
        **message_objects.build(owner),
        **ecoa_objects.build(owner, people[standard_profiles.SITE_STAFF.api_name]),
        **alert_objects.build(owner),
    }


def _signed_in(people: dict[str, Membership]) -> ApiSession:
    """A program of somebody whom no page of the guards signs out."""
    member = people[standard_profiles.READ_ONLY.api_name]
    return api_sessions.create(member=member, client_id="", connection=None, ip="", now=clock.now()).session


def _lent(people: dict[str, Membership]) -> Delegation:
    """Between two who may both open the page, on a day that changes nobody's tasks now."""
    giver, receiver = (
        people[profile.api_name] for profile in (standard_profiles.CONNECTION_APPROVER, standard_profiles.VAULT_OWNER)
    )
    first = day_of(clock.now()) + timedelta(days=30)
    return delegating.lend(giver=giver, to=receiver, starts=first, ends=first, by=giver, now=clock.now())


def fill(route: Route, ids: dict[str, Any]) -> str:
    """The address of a route with its arguments filled in; KeyError names an argument nobody thought of."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        kinds = [f"{part}:{name}" for part in route.pattern.split("/")]
        return str(next((ids[kind] for kind in [*kinds, name] if kind in ids), None) or ids[name])

    return "/" + _ARGUMENT.sub(value, route.pattern)
