from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ecoa.service import rotation, seeding, tokens
from ecoa.service.models import ServiceSystem, ServiceTenant
from ecoa.service.refusals import Unauthorized
from tests.ecoa.service.caller import SECRET, STUDY, SYSTEM, TENANT, code_of, mint, participant_path
from tests.ecoa.service.jwts import claims, key, part, signed
from vaultadmin import audit, clock


def ask(caller, authorization):
    extra = {} if authorization is None else {"HTTP_AUTHORIZATION": authorization}
    return caller.client.get(participant_path(), {"internalId": "nobody"}, **extra)


def test_own_token_is_accepted(caller, settings):
    token = signed(claims(), key(settings))

    assert code_of(ask(caller, f"Bearer {token}")) == "NF-0004"
    assert code_of(ask(caller, f"bearer   {token}")) == "NF-0004"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": -(10**400)},
        {"exp": "never"},
        {"exp": ...},
        {"iat": ...},
        {"iat": 10**12},
        {"nbf": 10**11},
        {"aud": "other"},
        {"aud": [tokens.AUDIENCE, "other"]},
        {"aud": ...},
        {"region": "eu"},
        {"region": ...},
        {"sub": "somebody else"},
        {"sub": "\0"},
        {"sub": 7},
        {"sub": ...},
        {"tenant": "another tenant"},
        {"tenant": ...},
        {"tenant": 7},
        {"sv": "1"},
        {"sv": [1]},
        {"sv": -1},
        {"sv": 2**63},
        {"sv": 0},
        {"sv": 2},
        {"sv": ...},
    ],
    ids=str,
)
def test_token_with_a_wrong_claim_is_unauthorized(caller, settings, changes):
    response = ask(caller, f"Bearer {signed(claims(**changes), key(settings))}")

    assert (response.status_code, code_of(response)) == (401, "ID-0001")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_own_key_with_another_algorithm_is_unauthorized(caller, settings, algorithm):
    token = jwt.encode(claims(), key(settings) * 2, algorithm=algorithm)

    assert ask(caller, f"Bearer {token}").status_code == 401


@pytest.mark.parametrize("name", ["none", "None", "NONE", "", None])
@pytest.mark.parametrize("signature", ["", "x"])
def test_unsigned_token_is_unauthorized(caller, name, signature):
    token = f"{part({'alg': name, 'typ': 'JWT'})}.{part(claims())}.{signature}"

    assert ask(caller, f"Bearer {token}").status_code == 401


def test_public_key_algorithms_are_unauthorized(caller):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    assert ask(caller, f"Bearer {jwt.encode(claims(), private, algorithm='RS256')}").status_code == 401
    assert ask(caller, f"Bearer {signed(claims(), public)}").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "' UNION SELECT 'x"},
        {"kid": 7},
        {"jku": "https://evil.example.com/keys"},
        {"x5u": "https://evil.example.com/cert"},
        {"jwk": {"kty": "oct", "k": "AA"}},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
        {"typ": "at+jwt"},
        {"zip": "DEF"},
    ],
    ids=str,
)
def test_token_that_names_its_key_is_unauthorized(caller, settings, headers):
    token = signed(claims(), key(settings), **headers)

    assert ask(caller, f"Bearer {token}").status_code == 401
    assert ask(caller, f"Bearer {token.rpartition('.')[0]}.x").status_code == 401


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer null",
        "Bearer a.b",
        "Bearer a.b.c.d",
        "Bearer ...",
        "Basic dXNlcjpwYXNz",
        "Token a.b.c",
        "Bearer " + "a" * 1_048_576,
        "Bearer " + "a." * 500_000,
        "Bearer \xff\xfe.\x80.\x81",
        "Bearer a\nb.c.d",
        f"Bearer {part(b'[' * 2000)}.{part(b'{}')}.x",
        f"Bearer {tokens._HEADER}.{part(b'[' * 2000)}.x",
        f"Bearer {tokens._HEADER}.!!!!.x",
        f"Bearer {tokens._HEADER}.a.a",
    ],
    ids=range(18),
)
def test_what_is_no_token_is_unauthorized(caller, authorization):
    response = ask(caller, authorization)

    assert (response.status_code, code_of(response)) == (401, "ID-0001")
    assert response["WWW-Authenticate"] == "Bearer"


def test_token_changed_in_any_character_is_unauthorized(places):
    token = mint()

    for position in range(len(token)):
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        if jwt.utils.base64url_decode(changed.split(".")[-1]) == jwt.utils.base64url_decode(token.split(".")[-1]):
            continue
        with pytest.raises(Unauthorized):
            tokens.read(f"Bearer {changed}", region="us")


def test_token_of_another_region_is_unauthorized(caller):
    assert caller.get("nobody", token=mint("eu")).status_code == 401
    assert caller.get("nobody", site="2001", region="eu", token=mint("us")).status_code == 401


def test_token_of_a_replaced_secret_is_unauthorized(caller):
    token = caller.authorize().json()["jwt"]
    assert code_of(caller.get("nobody", token=token)) == "NF-0004"

    system = ServiceSystem.objects.get(external_id=SYSTEM)
    rotation.replace(system, secret="next", by=audit.System("test"), now=clock.now())

    assert caller.get("nobody", token=token).status_code == 401
    assert caller.post("p", "i", token=token).status_code == 401


def test_token_of_a_removed_tenant_is_unauthorized(caller):
    token = mint()

    ServiceTenant.objects.filter(tenant_id=TENANT).delete()

    assert caller.get("nobody", token=token).status_code == 401


def test_token_past_its_hour_is_unauthorized(caller, settings):
    early = clock.now() - timedelta(minutes=settings.ECOA_TOKEN_MINUTES, seconds=1)

    assert caller.get("nobody", token=mint(now=early)).status_code == 401


def test_token_used_before_ends_with_its_hour_too(caller, settings, monkeypatch):
    token, moment = mint(), clock.now() + timedelta(minutes=settings.ECOA_TOKEN_MINUTES, seconds=1)
    assert code_of(caller.get("nobody", token=token)) == "NF-0004"

    monkeypatch.setattr(clock, "now", lambda: moment)

    assert caller.get("nobody", token=token).status_code == 401


def test_token_reaches_no_study_of_another_system(caller):
    seeding.ensure_system(external_id="other system", secret=SECRET, tenant_id="other")
    other = mint(system="other system", tenant="other")

    assert code_of(caller.get("nobody", token=other)) == "NF-0002"
    assert code_of(caller.post("p", "i", token=other)) == "NF-0002"


def test_token_survives_a_new_installation_key_while_the_old_one_is_accepted(caller, settings):
    token = mint()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key for everything this installation signs"

    assert code_of(caller.get("nobody", token=token)) == "NF-0004"

    settings.SECRET_KEY_FALLBACKS = []
    assert caller.get("nobody", token=token).status_code == 401


def test_authorization_comes_before_everything_else_in_the_message(caller):
    path = participant_path(study=STUDY, version="nonsense")

    assert caller.send(path, b"not json").status_code == 401
