from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client

from tests.guards.routes import Route, all_routes
from tests.guards.world import BACKEND, Place, build_place, signed_in, stranger
from tests.tools import evidence
from vaultadmin import standard_profiles
from vaultadmin.access import Gate
from vaultadmin.models import Membership
from vaultadmin.permissions import can_any

RARE = ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
OURS = [route for route in all_routes() if route.ours]
IN_VAULT = [route for route in OURS if "vault_id" in route.arguments and route.access.gate is not Gate.MACHINE]
# What all vaults share looks the same from each of them.
OF_THE_INSTALLATION = {"certificate_id", "fault_id", "scenario"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> Place:
    return build_place(7001)


@pytest.fixture
def elsewhere(here) -> Place:
    return build_place(7101)


def methods(route: Route) -> tuple[str, ...]:
    """What pages are really asked with, and one of the rest in turn; all seven when evidence is asked for."""
    rare = RARE if evidence.FOLDER else RARE[OURS.index(route) % len(RARE) :][:1]
    return ("GET", "POST", *rare)


def asked_of(route: Route, *, is_strong: bool, is_allowed: bool) -> tuple[str, ...]:
    """Of those who may do less, a page that is theirs is asked with GET and the next one with POST."""
    if is_strong or evidence.FOLDER:
        return methods(route)
    return ("GET", "POST")[OURS.index(route) % 2 :][:1] if is_allowed else ("GET", "POST")


def strongest(place: Place) -> list[Membership]:
    """Whoever may do most, and who sees only some rows; everybody when evidence is asked for."""
    everybody = place.people
    return list(everybody.values()) if evidence.FOLDER else [everybody["vault_owner__v"], everybody["site_staff__v"]]


def ask(client: Client, method: str, path: str, **headers: str) -> int:
    """The status of one request whose effects are undone."""
    with transaction.atomic():
        status = client.generic(method, path, headers=headers).status_code
        transaction.set_rollback(True)
    return status


def test_anonymous_is_sent_to_sign_in(here):
    wrong = {}
    for route in IN_VAULT:
        path = here.path(route)
        statuses = {ask(Client(), method, path) for method in methods(route)}
        by_htmx = ask(Client(), "GET", path, **{"HX-Request": "true"})
        if not statuses <= ({401} if "/api/" in path else {302, 405}) or by_htmx not in (401, 405):
            wrong[route.pattern] = (statuses, by_htmx)

    assert wrong == {}


def test_people_of_no_vault_and_of_another_vault_find_nothing(here, elsewhere):
    wrong = {}
    known = strongest(elsewhere) if evidence.FOLDER else strongest(elsewhere)[:1]
    for user in [stranger(), *(member.user for member in known)]:
        client = signed_in(user)
        for route in IN_VAULT:
            statuses = {ask(client, method, here.path(route)) for method in methods(route)}
            if not statuses <= {404, 405}:
                wrong[route.pattern, user.name] = statuses

    assert wrong == {}


@pytest.mark.parametrize("profile", [profile.api_name for profile in standard_profiles.STANDARD])
def test_members_open_what_their_profile_allows_and_nothing_else(here, profile):
    member = here.people[profile]
    client = signed_in(member.user)
    wrong = {}
    for route in IN_VAULT:
        allowed = route.access.gate is Gate.MEMBER or can_any(member, route.access.permissions)
        asked = asked_of(route, is_strong=member in strongest(here), is_allowed=allowed)
        statuses = {ask(client, method, here.path(route)) for method in asked}
        refused = statuses <= {403, 405}
        if max(statuses) >= 500 or (allowed and 403 in statuses) or (not allowed and not refused):
            wrong[route.pattern] = statuses

    assert wrong == {}


def test_vault_owner_finds_every_page(here):
    client = signed_in(here.people["vault_owner__v"].user)

    dead = [r.pattern for r in IN_VAULT if all(ask(client, m, here.path(r)) in (404, 405) for m in ("GET", "POST"))]

    assert dead == [], "no method of these pages does anything: are their objects built in tests/guards/objects.py?"


def test_objects_of_another_vault_are_not_found(here, elsewhere):
    wrong = {}
    named = [route for route in IN_VAULT if route.arguments - {"vault_id"} - OF_THE_INSTALLATION]
    for member in strongest(here):
        client = signed_in(member.user)
        for route in named:
            statuses = {ask(client, method, here.path(route, ids=elsewhere.ids)) for method in methods(route)}
            if not statuses <= {403, 404, 405}:
                wrong[route.pattern, member.profile.name] = statuses

    assert len(named) > 30
    assert wrong == {}


def test_unsafe_requests_without_the_form_token_are_refused(here):
    client = Client(enforce_csrf_checks=True)
    client.force_login(here.people["vault_owner__v"].user, backend=BACKEND)

    answers = {route.pattern: ask(client, "POST", here.path(route)) for route in IN_VAULT}

    assert set(answers.values()) <= {403, 405}, answers
