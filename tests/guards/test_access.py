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
OWNER = standard_profiles.VAULT_OWNER.api_name
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


def asked_of(route: Route, member: Membership, place: Place) -> tuple[str, ...]:
    """Those who may do less ask one page with GET and the next one with POST; the next of them the other way round."""
    if member in strongest(place):
        return methods(route)
    return in_turn(route, list(place.people.values()).index(member))


def in_turn(route: Route, number: int = 0) -> tuple[str, ...]:
    """One of GET and POST for each page; all seven when evidence is asked for."""
    return methods(route) if evidence.FOLDER else ("GET", "POST")[(OURS.index(route) + number) % 2 :][:1]


def strongest(place: Place) -> list[Membership]:
    """Whoever may do most, and who sees only some rows; everybody when evidence is asked for."""
    everybody = place.people
    return list(everybody.values()) if evidence.FOLDER else [everybody[OWNER], everybody["site_staff__v"]]


def ask(client: Client, method: str, path: str, **headers: str) -> int:
    """The status of one request whose effects are undone."""
    with transaction.atomic():
        status = client.generic(method, path, headers=headers).status_code
        transaction.set_rollback(True)
    return status


def test_anonymous_is_sent_to_sign_in(here):
    wrong, client = {}, Client()
    for route in IN_VAULT:
        path = here.path(route)
        statuses = {ask(client, method, path) for method in methods(route)}
        by_htmx = ask(client, "GET", path, **{"HX-Request": "true"})
        if not statuses <= ({401} if "/api/" in path else {302, 405}) or by_htmx not in (401, 405):
            wrong[route.pattern] = (statuses, by_htmx)

    assert wrong == {}


def test_people_of_no_vault_and_of_another_vault_find_nothing(here, elsewhere):
    wrong = {}
    known = strongest(elsewhere) if evidence.FOLDER else strongest(elsewhere)[:1]
    for user, asked in [(stranger(), in_turn), *((member.user, methods) for member in known)]:
        client = signed_in(user)
        for route in IN_VAULT:
            statuses = {ask(client, method, here.path(route)) for method in asked(route)}
            if not statuses <= {404, 405}:
                wrong[route.pattern, user.name] = statuses

    assert wrong == {}


@pytest.mark.parametrize("profile", [profile.api_name for profile in standard_profiles.STANDARD])
def test_members_open_what_their_profile_allows_and_nothing_else(here, profile):
    member = here.people[profile]
    client = signed_in(member.user)
    wrong, dead = {}, []
    for route in IN_VAULT:
        statuses = {ask(client, method, here.path(route)) for method in asked_of(route, member, here)}
        allowed, refused = is_open_to(member, route), statuses <= {403, 405}
        if max(statuses) >= 500 or (allowed and 403 in statuses) or (not allowed and not refused):
            wrong[route.pattern] = statuses
        if profile == OWNER and statuses <= {404, 405}:
            dead.append(route.pattern)

    assert wrong == {}
    assert dead == [], "no method of these pages does anything: are their objects built in tests/guards/objects.py?"


def is_open_to(member: Membership, route: Route) -> bool:
    return route.access.gate is Gate.MEMBER or can_any(member, route.access.permissions)


def test_objects_of_another_vault_are_not_found(here, elsewhere):
    wrong = {}
    named = [route for route in IN_VAULT if route.arguments - {"vault_id"} - OF_THE_INSTALLATION]
    for member in strongest(here):
        client = signed_in(member.user)
        # What a profile does not open is refused whatever is named.
        for route in [route for route in named if is_open_to(member, route)]:
            statuses = {ask(client, method, here.path(route, ids=elsewhere.ids)) for method in methods(route)}
            if not statuses <= {403, 404, 405}:
                wrong[route.pattern, member.profile.name] = statuses

    assert len(named) > 30
    assert wrong == {}


def test_unsafe_requests_without_the_form_token_are_refused(here):
    client = Client(enforce_csrf_checks=True)
    client.force_login(here.people[OWNER].user, backend=BACKEND)

    answers = {route.pattern: ask(client, "POST", here.path(route)) for route in IN_VAULT}

    assert set(answers.values()) <= {403, 405}, answers
