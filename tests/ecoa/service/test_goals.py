import json
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ecoa.service import rotation, seeding, store, tokens
from ecoa.service.models import ServiceParticipant, ServiceSystem
from tests.ecoa.service.caller import STUDY, SYSTEM, code_of, participant_path
from tests.ecoa.service.jwts import claims, key, part, signed
from vaultadmin import audit, clock

PARTICIPANT = "c8e85718-7c59-4ef6-8faa-45154ccdb58b"
INTERNAL = "925c6db2-b07b-49fe-8f92-0f6a2cb405a6"
EMPTY = '{"responseStatus":"SUCCESS","responseMessage":"","errorType":null,"errors":[],"data":'


def corpus(settings):
    """Named tokens that are all worth nothing."""
    secret = key(settings)
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    now = int(clock.now().timestamp())
    named = {
        "expired": {"exp": now - 1},
        "never expires": {"exp": ...},
        "not yet": {"nbf": now + 600},
        "from the future": {"iat": now + 600},
        "for another": {"aud": "other"},
        "for many": {"aud": [tokens.AUDIENCE, "other"]},
        "for nobody": {"aud": ...},
        "other region": {"region": "eu"},
        "other system": {"sub": "somebody else"},
        "other tenant": {"tenant": "another tenant"},
        "tenant is a list": {"tenant": ["a"]},
        "secret never issued": {"sv": 99},
        "secret is text": {"sv": "1"},
    }
    found = {name: signed(claims(**changes), secret) for name, changes in named.items()}
    for algorithm in ("none", "None", "NONE", "nOnE", ""):
        found[f"alg {algorithm!r}"] = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims())}."
    for algorithm in ("HS384", "HS512"):
        found[algorithm] = jwt.encode(claims(), secret * 2, algorithm=algorithm)
    found["RS256"] = jwt.encode(claims(), private, algorithm="RS256")
    found["public key as secret"] = signed(claims(), public)
    for header in ("kid", "jku", "x5u", "jwk", "x5c", "crit"):
        for value in ("../../../../dev/null", "https://evil.example.com/", {"kty": "oct", "k": "AA"}, ["exp"], 7):
            found[f"{header} {value!r}"] = signed(claims(), secret, **{header: value})
    found["1 MB"] = "a" * 1_048_576
    found["1 MB in parts"] = "a." * 524_288
    found["1 MB of claims"] = signed(claims(more="x" * 1_048_576), secret)
    found["nested"] = f"{tokens._HEADER}.{part(b'[' * 3000)}.x"
    return found


def test_no_forged_token_is_let_in_and_none_is_an_error(caller, settings, goal):
    reached = goal("D7")
    tokens_ = corpus(settings)
    revoked = caller.authorize().json()["jwt"]
    rotation.replace(
        ServiceSystem.objects.get(external_id=SYSTEM), secret="x", by=audit.System("test"), now=clock.now()
    )
    tokens_["revoked secret"] = revoked
    tokens_["own, before the change"] = signed(claims(), key(settings))

    statuses = {}
    for name, token in tokens_.items():
        extra = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
        read = caller.client.get(participant_path(), {"internalId": "nobody"}, **extra)
        written = caller.send(participant_path(), {"participantId": "p", "internalId": "i"}, **extra)
        statuses[name] = {read.status_code, written.status_code}

    wrong = {name: status for name, status in statuses.items() if status != {401}}
    assert not ServiceParticipant.objects.filter(internal_id="i").exists()
    figure = f"{len(statuses) - len(wrong)} of {len(statuses)} tokens answered 401, {wrong or 'no'} others"
    reached.reached(figure=figure, target="all 401", ok=not wrong)


@pytest.mark.parametrize(("study", "site", "code"), [("not mine", "1005", "NF-0002"), (STUDY, "not mine", "NF-0003")])
def test_what_is_not_mapped_reveals_nothing(caller, study, site, code):
    other = seeding.ensure_study("not mine")
    seeding.ensure_site(other, "1005", "us")
    known, unknown = caller.get("i", study=study, site=site), caller.get("i", study=f"{study}?", site=f"{site}?")

    assert (known.status_code, code_of(known)) == (200, code)
    if code == "NF-0002":
        assert known.content == unknown.content


def test_published_examples_are_reproduced_byte_for_byte(caller, settings, goal, monkeypatch):
    reached = goal("J4")
    settings.ECOA_REGIONS = "us=https://sponsors-us.myveeva.com/"
    monkeypatch.setattr(store, "uuid4", lambda: UUID(PARTICIPANT))
    given, token = {}, None

    def keep(name, response):
        given[name] = (response.status_code, response["Content-Type"], response.content.decode())

    keep("discover", caller.discover())
    authorized = caller.authorize()
    token = authorized.json()["jwt"]
    keep("authorize", authorized)
    keep("write", caller.post("1005-003", INTERNAL, token=token))
    keep("write again", caller.post("1005-003", INTERNAL, token=token))
    keep("read", caller.get(INTERNAL, token=token))
    keep("refused", caller.discover(system="unknown"))

    right = {
        "discover": EMPTY + '[{"region":"https://sponsors-us.myveeva.com/"}]}',
        "authorize": json.dumps({"jwt": token}, separators=(",", ":")),
        "write": f'{EMPTY}["{PARTICIPANT}"]}}',
        "write again": f'{EMPTY}["{PARTICIPANT}"]}}',
        "read": f'{EMPTY}[{{"myVeevaParticipantId":"{PARTICIPANT}","participantId":"1005-003"}}]}}',
        "refused": '{"responseStatus":"FAILURE","responseMessage":"NOT_FOUND: Mapping info not found",'
        '"errorType":"NOT_FOUND","errors":[{"code":"NF-0002","message":'
        '"External system ID or external sponsor study ID not found"}],"data":[]}',
    }
    wrong = [name for name, text in right.items() if given[name] != (200, "application/json", text)]
    reached.reached(figure=f"{len(right) - len(wrong)} of {len(right)} alike", target="all", ok=not wrong)
