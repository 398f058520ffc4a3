from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from tests.security import deed
from tests.security.deed import World


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, cost in (("time_cost", 1), ("memory_cost", 64), ("parallelism", 1)):
        monkeypatch.setattr(Argon2PasswordHasher, name, cost)


@pytest.fixture
def make_world(monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    return deed.build_world


@pytest.fixture
def world(make_world: Callable[..., World], db: None) -> World:
    return make_world()
