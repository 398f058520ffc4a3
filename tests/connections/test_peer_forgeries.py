import base64
import json
import os
import sys
import time
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from connections import signed_json
from connections.models import Binding, IncomingPeerMessage
from connections.peering.messages import MessageType, Party
from connections.services.handshake import security_events
from connections.spark.signing import LEGACY_SIGNATURE, SIGNATURE, sign
from tests.connections.handshake import fresh
from tests.connections.remote_peer import RemotePeer, certificate_for, key_of_another_installation, post
from tests.factories.connections import shared_key
from vaultadmin.models import AuditEvent, Installation
from vaultadmin.strict_json import canonical

pytestmark = pytest.mark.django_db

STRANGER = 1


@pytest.fixture
def client():
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def peer(pair):
    return RemotePeer(vault_id=pair.target.pk)


@pytest.fixture
def binding(client, pair, peer):
    source = pair.source_record()
    assert post(client, peer.connect(pair.file(connection=source))).status_code == 200
    return Binding.objects.get(connection=source)


def events():
    return AuditEvent.objects.filter(event="peering.refused")


def rewritten(raw, key, **changes):
    """The message with fields replaced, and signed anew by `key` inside."""
    document = {name: value for name, value in json.loads(raw).items() if name != "signature"}
    return signed_json.sign(document | changes, key)


def with_header(name, value):
    return lambda letter, raw: (raw, letter.headers(raw) | {name: value})


def without_header(name):
    return lambda letter, raw: (raw, {k: v for k, v in letter.headers(raw).items() if k != name})


def body(change):
    """A body that is changed after everything was signed."""
    return lambda letter, raw: (change(raw), letter.headers(raw))


def signed_over(change):
    """A body that is changed, in an envelope the peer really signed for it."""
    return lambda letter, raw: (change(raw), letter.headers(change(raw)))


def by_stranger(letter, raw):
    key = key_of_another_installation(STRANGER)
    raw = letter.raw(key=key)
    return raw, letter.headers(raw, key=key)


def envelope_by_stranger(letter, raw):
    return raw, letter.headers(raw, key=key_of_another_installation(STRANGER))


def by_our_own_key(letter, raw):
    raw = letter.raw(key=shared_key())
    return raw, letter.headers(raw, key=shared_key())


def claims(**values):
    """A message the peer signs, inside and outside, in somebody else's name."""

    def forge(letter, raw):
        raw = rewritten(raw, letter.peer.key, **values)
        outside = {}
        if "sender" in values:
            outside["vault_id"] = values["sender"]["vault_id"]
        if "certificate_id" in values:
            outside["certificate_id"] = values["certificate_id"]
        return raw, letter.headers(raw, **outside)

    return forge


def outside(**values):
    """An envelope the peer signs that says something else than the message inside."""
    return lambda letter, raw: (raw, letter.headers(raw, **values))


def old_style_signature_only(letter, raw):
    headers = letter.headers(raw)
    return raw, headers | {SIGNATURE: headers[LEGACY_SIGNATURE]}


def flip(place):
    return lambda raw: raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


def twice_the_same_key(raw):
    return raw[:-1] + b',"version":1}'


def indented(raw):
    return json.dumps(json.loads(raw), indent=1).encode()


def connect_without_the_nonce(letter, raw):
    letter.type = MessageType.CONNECT
    letter.body = {
        "exchange": letter.body["exchange"],
        "nonce": base64.b64encode(b"x" * 32).decode(),
        "file_sha256": "0" * 64,
        "connection_id": "V17000000000001",
        "requested_by": "Eve",
        "vault": {
            "name": "E",
            "dns": "e.example",
            "domain": "",
            "application": "",
            "peering_url": "https://e.example/",
        },
        "certificate_pem": certificate_for(letter.peer.key),
    }
    return letter.raw(), letter.headers()


def unknown_exchange(letter, raw):
    letter.body = letter.body | {"exchange": str(uuid4())}
    return letter.raw(), letter.headers()


SIGNED = [
    f"X-VaultAPISignature-{name}"
    for name in (
        "CertificateId",
        "ExecutionId",
        "RequestDateTime",
        "RequestId",
        "RequestNotAfter",
        "RequestNotBefore",
        "RequestType",
        "URL",
        "VaultId",
    )
]
ELSEWHERE = "https://elsewhere.example.com/v/1/peering/approve"

FORGERIES = {
    "no headers at all": lambda letter, raw: (raw, {}),
    "signed by a stranger inside and outside": by_stranger,
    "signed by a stranger outside": envelope_by_stranger,
    "signed by our own key": by_our_own_key,
    "legacy signature in place of the second": old_style_signature_only,
    **{f"{name} missing": without_header(name) for name in (*SIGNED, SIGNATURE)},
    **{f"{name} empty": with_header(name, "") for name in (*SIGNED, SIGNATURE)},
    **{
        f"{name} doubled by a comma": (
            lambda n: (
                lambda letter, raw: (
                    raw,
                    letter.headers(raw) | {n: f"{letter.headers(raw)[n]},{letter.headers(raw)[n]}"},
                )
            )
        )(name)
        for name in SIGNED
    },
    "another certificate id": with_header(SIGNED[0], "00002"),
    "certificate id that is a path": with_header(SIGNED[0], "../../etc/passwd"),
    "certificate id that is an address": with_header(SIGNED[0], "https://evil.example/00001"),
    "later end of the window": with_header(SIGNED[4], "2099-01-01T00:00:00.000Z"),
    "another vault id": with_header(SIGNED[8], "4711"),
    "vault id beyond any number": with_header(SIGNED[8], "9" * 400),
    "signature of nothing": with_header(SIGNATURE, base64.b64encode(b"\0" * 256).decode()),
    "signature that is no Base64": with_header(SIGNATURE, "*" * 344),
    "signature of a megabyte": with_header(SIGNATURE, "A" * 1_000_000),
    "signed header added on the way": with_header("X-VaultAPISignature-HostVault", "evil.example"),
    "URL of elsewhere": outside(url=ELSEWHERE),
    "URL over plain http": outside(url="http://other.example.com/v/1/peering/approve"),
    "request type of a Spark message": outside(request_type="spark_message"),
    "envelope of another message": outside(request_id=uuid4()),
    "envelope of another vault": outside(vault_id=4711),
    "envelope of another certificate": outside(certificate_id="00002"),
    "envelope of another time": lambda letter, raw: (
        raw,
        letter.headers(raw, sent_at=letter.sent_at + timedelta(seconds=2)),
    ),
    "first byte of the body": body(flip(0)),
    "middle byte of the body": body(flip(300)),
    "last byte of the body": body(flip(-2)),
    "body with a line break": body(lambda raw: raw + b"\n"),
    "empty body": body(lambda raw: b""),
    "body cut off": body(lambda raw: raw[: len(raw) // 2]),
    "body cut off and signed so": signed_over(lambda raw: raw[: len(raw) // 2]),
    "empty object": signed_over(lambda raw: b"{}"),
    "list": signed_over(lambda raw: b"[]"),
    "no JSON": signed_over(lambda raw: b"\xff\xfe"),
    "nested a thousand deep": signed_over(lambda raw: b"[" * 1000 + b"]" * 1000),
    "same key twice": signed_over(twice_the_same_key),
    "written with blanks": signed_over(indented),
    "keys in another order": signed_over(lambda raw: json.dumps(dict(reversed(json.loads(raw).items()))).encode()),
    "not a number": signed_over(lambda raw: raw.replace(b'"version":1', b'"version":NaN')),
    "byte order mark": signed_over(lambda raw: b"\xef\xbb\xbf" + raw),
    "half of a surrogate pair": signed_over(lambda raw: raw.replace(b"Approver There", b"\\ud800")),
    "other protocol": signed_over(lambda raw: raw.replace(b"vault-peering", b"vault-pairing")),
    "field nobody knows": signed_over(lambda raw: canonical(json.loads(raw) | {"extra": 1})),
    "another installation with the same numbers": claims(sender={"installation_id": str(uuid4()), "vault_id": 1}),
    "certificate nobody pinned": claims(certificate_id="00002"),
    "connect without the nonce of the file": connect_without_the_nonce,
    "exchange nobody knows": unknown_exchange,
}


@pytest.mark.evidence
def test_no_forgery_gets_in_and_none_learns_why(client, peer, binding, goal):
    d1 = goal("D1")
    warm_up(client, peer, binding)
    let_in, told_apart, slow, silent = [], set(), [], []

    for name, forge in FORGERIES.items():
        letter = peer.decide(binding)
        raw, headers = forge(letter, letter.raw())
        before, started = events().count(), time.thread_time()
        response = post(client, letter, raw=raw, headers=headers)
        worked = time.thread_time() - started
        told_apart.add((response.status_code, response.content, tuple(sorted(response.headers.items()))))
        if fresh(binding).remote_verdict or response.status_code != 401:
            let_in.append(name)
        if events().count() != before + 1:
            silent.append(name)
        if worked > 0.5:
            slow.append((name, worked))

    d1.reached(
        figure={"let in": let_in, "without an event": silent, "answers": len(told_apart), "tried": len(FORGERIES)},
        target={"let in": [], "without an event": [], "answers": 1, "tried": len(FORGERIES)},
        ok=not let_in and not silent and len(told_apart) == 1 and not slow,
    )
    assert len(FORGERIES) >= 70


def warm_up(client, peer, binding):
    stray = RemotePeer(peer.vault_id, key=key_of_another_installation(STRANGER))
    post(client, stray.decide(binding))


def test_reason_stands_in_our_own_trail_only(client, peer, binding, pair):
    letter = peer.decide(binding)
    raw = letter.raw()

    response = post(client, letter, raw=raw, headers=letter.headers(raw) | {SIGNED[8]: "4711"})

    event = events().get()
    assert "signature" in event.reason or "headers" in event.reason
    assert event.reason not in response.content.decode()
    assert (event.chain, event.source_ip) == (pair.source.pk, "127.0.0.1")


def test_flood_of_forgeries_leaves_a_bounded_number_of_rows(client, peer, binding, monkeypatch):
    monkeypatch.setattr(security_events, "ROWS_A_MINUTE", 5)
    letter = peer.decide(binding)

    answers = {post(client, letter, headers={}).content for _ in range(12)}

    assert len(answers) == 1
    assert events().count() == 5


def test_message_of_one_vault_does_not_count_for_another(client, pair, peer, binding):
    letter = peer.decide(binding)
    letter.to = Party(Installation.current().pk, pair.target.pk)

    assert post(client, letter).status_code == 401
    assert not fresh(binding).remote_verdict


def test_captured_message_posted_to_another_vault_is_not_believed(client, pair, peer, binding, goal):
    letter = peer.decide(binding)
    raw, headers = letter.raw(), letter.headers()

    response = post(client, letter, raw=raw, headers=headers, path=f"/v/{pair.target.pk}/peering/approve")

    status = response.status_code
    goal("D3").reached(figure=status, target=401, ok=status == 401 and not fresh(binding).remote_verdict)


def test_captured_message_posted_as_another_kind_is_not_believed(client, peer, binding):
    letter = peer.decide(binding)
    raw = letter.raw()
    path = f"/v/{letter.to.vault_id}/peering/reject"
    headers = letter.headers(raw, url=f"{settings.PUBLIC_URL}{path}")

    assert post(client, letter, raw=raw, headers=headers, path=path).status_code == 401


def test_vault_of_the_same_other_installation_cannot_speak_for_its_sister(client, peer, binding):
    sister = replace(peer, vault_id=peer.vault_id + 1)

    assert post(client, sister.decide(binding)).status_code == 401
    assert not fresh(binding).remote_verdict


def test_certificate_is_looked_up_without_a_file_or_the_network(client, peer, binding, goal):
    warm_up(client, peer, binding)
    post(client, replace(peer.decide(binding), message_id=uuid4()))
    seen = []

    def hook(event, arguments):
        if watching and (
            event in ("open", "os.listdir", "os.scandir", "subprocess.Popen") or event.startswith("socket.")
        ):
            seen.append((event, arguments))

    watching = False
    sys.addaudithook(hook)
    letters = [
        (letter := peer.decide(binding), letter.headers() | {SIGNED[0]: number})
        for number in ("00001", "00002", "../../etc/passwd", os.devnull, "https://evil.example/")
    ]
    watching = True
    try:
        for letter, headers in letters:
            post(client, letter, headers=headers)
    finally:
        watching = False

    goal("D5").reached(figure=[str(entry) for entry in seen], target=[], ok=not seen)


def test_replay_in_another_envelope_after_a_restart_has_one_effect(client, peer, binding):
    letter = peer.decide(binding)
    raw = letter.raw()
    for _ in range(20):
        headers = letter.envelope(execution_id=uuid4())
        headers |= sign(headers, raw, url=letter.url(), key=peer.key)
        assert post(Client(), letter, raw=raw, headers=headers).json()["outcome"] == "accepted"

    assert IncomingPeerMessage.objects.filter(type="approve").count() == 1
    assert AuditEvent.objects.filter(event="connection.approved_remotely").count() == 1
