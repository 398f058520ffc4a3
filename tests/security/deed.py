"""One form and the world it is posted in: what every module of deeds is written with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.test import Client

from connections.models import Connection
from tests.factories.connections import make_admin
from tests.factories.people import PASSWORD, make_vault
from tests.guards.routes import Route, all_routes
from tests.guards.world import Place, build_place, signed_in
from vaultadmin import audit, standard_profiles
from vaultadmin.models import Installation, Membership

KEY = str(UUID(int=7))
BY = audit.System("Guard")


@dataclass
class World:
    """A vault with one of everything, its owner, who may also create vaults, and an administrator elsewhere."""

    place: Place
    owner: Membership
    helper: Membership
    elsewhere: Membership

    @property
    def ids(self) -> dict[str, Any]:
        return self.place.ids

    def person(self) -> Membership:
        return Membership.objects.for_request().get(pk=self.ids["member_id"])

    def connection(self) -> Connection:
        return Connection.objects.get(vault=self.place.vault, api_name=self.ids["connections:api_name"])

    def client(self) -> Client:
        client = signed_in(self.owner.user)
        client.raise_request_exception = False
        return client


def build_world(number: int = 7001) -> World:
    Installation.current()
    place = build_place(number)
    owner = Membership.objects.for_request().get(pk=place.people[standard_profiles.VAULT_OWNER.api_name].pk)
    owner.user.is_domain_admin = True
    owner.user.set_password(PASSWORD)
    owner.user.save()
    return World(place, owner, make_admin(place.vault), make_admin(make_vault()))


@dataclass(frozen=True)
class Deed:
    """One form. `prepare` brings the world to where the form works and returns what a browser would send."""

    pattern: str
    prepare: Callable[[World], dict[str, Any]]
    query: str = ""
    creates: bool = False
    anonymous: bool = False
    # Addresses that name something `prepare` has just made.
    path: Callable[[World], str] | None = None

    @property
    def id(self) -> str:
        return self.pattern.removeprefix("v/<int:vault_id>/")

    def route(self) -> Route:
        return route_of(self.pattern)

    def address(self, world: World) -> str:
        path = self.path(world) if self.path else world.place.path(self.route())
        return path + self.query

    def browser(self, world: World) -> Client:
        return Client(raise_request_exception=False) if self.anonymous else world.client()


def route_of(pattern: str) -> Route:
    return next(route for route in all_routes() if route.pattern == pattern)


def nothing(_world: World) -> dict[str, Any]:
    return {}


def reason(_world: World) -> dict[str, Any]:
    return {"reason": "Asked for by phone"}
