from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from tests.factories.people import PASSWORD, make_user
from vaultadmin import clock, standard_profiles
from vaultadmin.models import Membership, User, Vault
from vaultadmin.services import vaults
from vaultadmin.standard_profiles import StandardProfile

Join = Callable[..., Membership]
SignIn = Callable[[Membership | User], Client]


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, cost in (("time_cost", 1), ("memory_cost", 64), ("parallelism", 1)):
        monkeypatch.setattr(Argon2PasswordHasher, name, cost)


@pytest.fixture
def admin(cheap_hashes: None, db: None) -> User:
    return make_user(password=PASSWORD, is_domain_admin=True)


@pytest.fixture
def vault(admin: User) -> Vault:
    return vaults.create_vault(
        id=7001, name="Quality", dns="quality.example.com", application="quality", by=admin, now=clock.now()
    )


@pytest.fixture
def other_vault(admin: User) -> Vault:
    return vaults.create_vault(
        id=7002, name="Safety", dns="safety.example.com", application="safety", by=admin, now=clock.now()
    )


@pytest.fixture
def owner(vault: Vault, admin: User) -> Membership:
    return Membership.objects.for_request().get(vault=vault, user=admin)


@pytest.fixture
def join() -> Join:
    def make(vault: Vault, profile: StandardProfile, user: User | None = None) -> Membership:
        row = standard_profiles.find(vault, profile)
        return Membership.objects.create(user=user or make_user(password=PASSWORD), vault=vault, profile=row)

    return make


@pytest.fixture
def sign_in() -> SignIn:
    def enter(who: Membership | User) -> Client:
        client = Client()
        user = who.user if isinstance(who, Membership) else who
        answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        assert answer.status_code == 302
        return client

    return enter
