import time
from datetime import timedelta
from statistics import median

import jwt
import pytest

from ecoa.service import rotation, seeding, systems
from ecoa.service.models import ServiceSystem
from tests.ecoa.service.caller import SECRET, SYSTEM, TENANT, code_of
from vaultadmin import audit, clock


def test_authorize_answers_a_token_and_nothing_else(caller):
    response = caller.authorize()

    assert response.status_code == 200
    assert list(response.json()) == ["jwt"]
    assert response.content.startswith(b'{"jwt":"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.')


def test_authorize_token_says_who_where_and_how_long(caller, settings):
    settings.ECOA_TOKEN_MINUTES = 60

    claims = jwt.decode(caller.authorize(region="eu").json()["jwt"], options={"verify_signature": False})

    assert timedelta(seconds=claims["exp"] - claims["iat"]) == timedelta(minutes=60)
    assert {key: claims[key] for key in ("sub", "tenant", "region", "sv")} == {
        "sub": SYSTEM,
        "tenant": TENANT,
        "region": "eu",
        "sv": 1,
    }
    assert set(claims) == {"sub", "tenant", "region", "aud", "sv", "iat", "exp"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"system": "somebody else"},
        {"secret": "not my secret"},
        {"secret": SECRET + " "},
        {"tenant": "another tenant"},
    ],
)
def test_authorize_wrong_credentials_are_unauthorized_without_saying_which(caller, wrong):
    response = caller.authorize(**wrong)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert code_of(response) == "ID-0001"
    assert response.content == caller.authorize(secret="wrong").content


def test_authorize_serves_every_tenant_of_a_system(caller):
    seeding.ensure_system(external_id=SYSTEM, secret=SECRET, tenant_id="second tenant")

    assert caller.authorize(tenant="second tenant").status_code == 200
    assert caller.authorize().status_code == 200


def test_authorize_after_replacing_the_secret_takes_only_the_new_one(caller):
    system = ServiceSystem.objects.get(external_id=SYSTEM)

    rotation.replace(system, secret="another secret", by=audit.System("test"), now=clock.now())

    assert caller.authorize().status_code == 401
    assert caller.authorize(secret="another secret").status_code == 200


def test_secret_is_kept_as_a_salted_digest(places):
    mine = ServiceSystem.objects.get(external_id=SYSTEM).secrets.get()
    twin = systems.create_system(external_id="twin", secret=SECRET, by=audit.System("test")).secrets.get()

    assert SECRET.encode() not in bytes(mine.digest) + bytes(mine.salt)
    assert bytes(mine.digest) != bytes(twin.digest)


def test_issued_secrets_hold_256_random_bits():
    assert len({rotation.new_secret() for _ in range(50)}) == 50
    assert len(rotation.new_secret()) >= 43


def test_compare_costs_the_same_for_known_and_unknown_systems(places):
    secrets = list(rotation.live(ServiceSystem.objects.get(external_id=SYSTEM), now=clock.now()))
    cases = [(secrets, SECRET), (secrets, "x" * len(SECRET)), (secrets * 2, SECRET), ([], SECRET)]
    times = [[] for _ in cases]

    for _ in range(2000):
        for (candidates, secret), kept in zip(cases, times, strict=True):
            started = time.perf_counter_ns()
            rotation.matching(candidates, secret)
            kept.append(time.perf_counter_ns() - started)

    fastest, slowest = min(map(median, times)), max(map(median, times))
    assert slowest < 3 * fastest
