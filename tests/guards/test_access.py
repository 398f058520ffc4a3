from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client

from tests.guards.routes import Route, all_routes
from tests.guards.world import BACKEND, Place, build_place, signed_in, stranger
from vaultadmin.access import Gate
from vaultadmin.permissions import can_any
from vaultadmin.worklist import registry

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OURS = [route for route in all_routes() if route.ours]
IN_VAULT = [route for route in OURS if "vault_id" in route.arguments and route.access.gate is not Gate.MACHINE]
pytestmark = pytest.mark.django_db


class AnyVerdict:
    """Stands for an app's handler, so that the task page opens."""

    def verdicts(self, task):
        return [("approve", "Approve")]

    def refusal(self, task, member):
        return ""

    def complete(self, task, *, by, verdict, comment, now):
        return None

    def url(self, task):
        return "/"


@pytest.fixture
def here(monkeypatch) -> Place:
    monkeypatch.setitem(registry._handlers, "guard", AnyVerdict())
    return build_place(7001)


@pytest.fixture
def elsewhere(here) -> Place:
    return build_place(7002)


def ask(client: Client, method: str, path: str, **headers: str) -> int:
    """The status of one request whose effects are undone."""
    with transaction.atomic():
        status = client.generic(method, path, headers=headers).status_code
        transaction.set_rollback(True)
    return status


def names(routes: list[Route]) -> list[str]:
    return [route.pattern for route in routes]


@pytest.mark.parametrize("route", IN_VAULT, ids=names(IN_VAULT))
def test_anonymous_is_sent_to_sign_in(here, route):
    path = here.path(route)

    assert {ask(Client(), method, path) for method in METHODS} <= ({401} if "/api/" in path else {302, 405})
    assert ask(Client(), "GET", path, **{"HX-Request": "true"}) in (401, 405)


@pytest.mark.parametrize("route", IN_VAULT, ids=names(IN_VAULT))
def test_people_of_no_vault_and_of_another_vault_find_nothing(here, elsewhere, route):
    path = here.path(route)

    for user in [stranger(), *(member.user for member in elsewhere.people.values())]:
        client = signed_in(user)
        assert {ask(client, method, path) for method in METHODS} <= {404, 405}, user


@pytest.mark.parametrize("route", IN_VAULT, ids=names(IN_VAULT))
def test_members_open_what_their_profile_allows_and_nothing_else(here, route):
    path = here.path(route)

    for member in here.people.values():
        allowed = route.access.gate is Gate.MEMBER or can_any(member, route.access.permissions)
        client = signed_in(member.user)
        statuses = {method: ask(client, method, path) for method in METHODS}
        assert max(statuses.values()) < 500, (member, statuses)
        if allowed:
            assert 403 not in statuses.values(), (member, statuses)
        else:
            assert set(statuses.values()) <= {403, 405}, (member, statuses)


@pytest.mark.parametrize("route", IN_VAULT, ids=names(IN_VAULT))
def test_vault_owner_finds_every_page(here, route):
    client = signed_in(here.people["vault_owner__v"].user)

    statuses = {ask(client, method, here.path(route)) for method in ("GET", "POST")}

    assert statuses - {404, 405}, (
        "no method of this page does anything: is its object built in tests/guards/objects.py?"
    )


@pytest.mark.parametrize(
    "route",
    [route for route in IN_VAULT if len(route.arguments) > 1],
    ids=names([route for route in IN_VAULT if len(route.arguments) > 1]),
)
def test_objects_of_another_vault_are_not_found(here, elsewhere, route):
    path = here.path(route, ids=elsewhere.ids)

    for member in here.people.values():
        client = signed_in(member.user)
        assert {ask(client, method, path) for method in METHODS} <= {403, 404, 405}, member


def test_unsafe_requests_without_the_form_token_are_refused(here):
    client = Client(enforce_csrf_checks=True)
    client.force_login(here.people["vault_owner__v"].user, backend=BACKEND)

    answers = {route.pattern: ask(client, "POST", here.path(route)) for route in IN_VAULT}

    assert set(answers.values()) <= {403, 405}, answers
