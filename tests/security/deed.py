"""One form and the world it is posted in: what every module of deeds is written with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from connections.models import Connection
from tests.factories.connections import make_admin
from tests.factories.people import PASSWORD, make_vault
from tests.guards.routes import Route, all_routes
from tests.guards.world import Place, build_place, in_for_long, signed_in
from vaultadmin import audit, standard_profiles
from vaultadmin.models import Membership

KEY = str(UUID(int=7))
BY = audit.System("Guard")


@dataclass
class World:
    """A vault with one of everything, its owner, who may also create vaults, and an administrator elsewhere."""

    place: Place
    owner: Membership
    helper: Membership
    elsewhere: Membership
    cookies: SimpleCookie

    @property
    def ids(self) -> dict[str, Any]:
        return self.place.ids

    def person(self) -> Membership:
        return Membership.objects.for_request().get(pk=self.ids["member_id"])

    def connection(self) -> Connection:
        return Connection.objects.get(vault=self.place.vault, api_name=self.ids["connections:api_name"])

    def client(self) -> Client:
        """A browser in which the owner is signed in; all of them share one session."""
        client = Client(raise_request_exception=False)
        client.cookies = deepcopy(self.cookies)
        return client


def build_world(number: int = 7001) -> World:
    place = build_place(number)
    owner = Membership.objects.for_request().get(pk=place.people[standard_profiles.VAULT_OWNER.api_name].pk)
    owner.user.is_domain_admin = True
    owner.user.set_password(PASSWORD)
    owner.user.save()
    cookies = in_for_long(signed_in(owner.user)).cookies
    return World(place, owner, make_admin(place.vault), make_admin(make_vault()), cookies)


@dataclass(frozen=True)
class Ready:
    """A form that works: its address, what a browser would send, and the browser."""

    path: str
    data: dict[str, Any]
    browser: Client

    @contextmanager
    def undone(self) -> Iterator[Client]:
        """One try at it, of which neither the database nor the browser keeps anything."""
        cookies = deepcopy(self.browser.cookies)
        for value in self.data.values():
            if isinstance(value, SimpleUploadedFile):
                value.seek(0)
        with transaction.atomic():
            yield self.browser
            transaction.set_rollback(True)
        self.browser.cookies = cookies


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

    @contextmanager
    def ready(self, world: World) -> Iterator[Ready]:
        """The form where it works, for as many tries as wanted; the world is as it was afterwards."""
        with transaction.atomic():
            yield Ready(self.address(world), self.prepare(world), self.browser(world))
            transaction.set_rollback(True)

    def browser(self, world: World) -> Client:
        return Client(raise_request_exception=False) if self.anonymous else world.client()


def route_of(pattern: str) -> Route:
    return next(route for route in all_routes() if route.pattern == pattern)


def nothing(_world: World) -> dict[str, Any]:
    return {}


def reason(_world: World) -> dict[str, Any]:
    return {"reason": "Asked for by phone"}
