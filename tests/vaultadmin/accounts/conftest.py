from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from tests.factories.people import PASSWORD, make_user
from vaultadmin.models import User

LOGIN = "/accounts/login/"


class Door:
    """A browser at the sign-in page; says what the answer was in one word."""

    def __init__(self, address: str = "192.0.2.1") -> None:
        self.client = Client(REMOTE_ADDR=address)

    def knock(self, email: str, password: str) -> str:
        answer = self.client.post(LOGIN, {"login": email, "password": password})
        self.text = answer.content.decode()
        return {302: "in", 200: "wrong", 429: "wait"}[answer.status_code]


@pytest.fixture(autouse=True)
def cheap_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "full_price_hashes" not in request.fixturenames:
        for name, cost in (("time_cost", 1), ("memory_cost", 64), ("parallelism", 1)):
            monkeypatch.setattr(Argon2PasswordHasher, name, cost)


@pytest.fixture
def full_price_hashes() -> None:
    """What the product uses; `cheap_hashes` steps aside."""


@pytest.fixture
def ana(cheap_hashes: None, db: None) -> User:
    return make_user(email="ana@example.test", name="Ana", password=PASSWORD)


@pytest.fixture
def bo(cheap_hashes: None, db: None) -> User:
    return make_user(email="bo@example.test", name="Bo", password=PASSWORD)


@pytest.fixture
def moment() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-03-01T09:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    done: list[str] = []
    for name in ("encode", "verify"):
        real = getattr(Argon2PasswordHasher, name)

        def counted(self: object, *args: str, _real: Callable[..., object] = real, _name: str = name) -> object:
            done.append(_name)
            return _real(self, *args)

        monkeypatch.setattr(Argon2PasswordHasher, name, counted)
    return done


@pytest.fixture
def later(moment: time_machine.Traveller) -> Callable[..., None]:
    def go(**passed: float) -> None:
        moment.shift(timedelta(**passed))

    return go
