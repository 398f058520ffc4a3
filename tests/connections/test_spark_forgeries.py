import base64
import json
import os
import sys
import time
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from connections.services.handshake import security_events
from connections.spark.signing import LEGACY_SIGNATURE, SIGNATURE
from tests.connections.remote_peer import key_of_another_installation
from tests.connections.spark_peer import SparkLetter, post
from tests.connections.spark_world import *  # noqa: F403
from tests.connections.spark_world import stored
from tests.factories.connections import shared_key
from vaultadmin import clock
from vaultadmin.models import AuditEvent

pytestmark = pytest.mark.django_db
STRANGER = 1
NAMES = (
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
SIGNED = [f"X-VaultAPISignature-{name}" for name in NAMES]


def events():
    return AuditEvent.objects.filter(event="spark_message.refused")


def header(name, value):
    return lambda letter, raw: (raw, letter.headers(raw) | {name: value})


def without(name):
    return lambda letter, raw: (raw, {key: value for key, value in letter.headers(raw).items() if key != name})


def doubled(name):
    def forge(letter, raw):
        headers = letter.headers(raw)
        return raw, headers | {name: f"{headers[name]},{headers[name]}"}

    return forge


def twin(name):
    return lambda letter, raw: (raw, letter.headers(raw) | {name.replace("-", "_"): "1"})


def altered(change):
    """A body that is changed after it was signed."""
    return lambda letter, raw: (change(raw), letter.headers(raw))


def signed_over(change):
    """A body the peer really signed, and which is none."""
    return lambda letter, raw: (change(raw), letter.headers(change(raw)))


def signed_as(**values):
    """An envelope the peer really signed that says something else."""
    return lambda letter, raw: (raw, letter.headers(raw, **values))


def by(key):
    return lambda letter, raw: (raw, letter.headers(raw, key=key()))


def at(moment):
    return lambda letter, raw: (raw, letter.headers(raw, sent_at=clock.now() + moment))


def legacy_only(letter, raw):
    headers = letter.headers(raw)
    return raw, headers | {SIGNATURE: headers[LEGACY_SIGNATURE]}


def flip(place):
    return lambda raw: raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


def edited(**values):
    return lambda raw: json.dumps(json.loads(raw) | values, separators=(",", ":")).encode()


def message(**values):
    return lambda raw: edited(message=json.loads(raw)["message"] | values)(raw)


FORGERIES = {
    "no headers at all": lambda letter, raw: (raw, {}),
    "signed by a stranger": by(lambda: key_of_another_installation(STRANGER)),
    "signed by our own key": by(shared_key),
    "legacy signature in place of the second": legacy_only,
    **{f"{name} missing": without(name) for name in (*SIGNED, SIGNATURE)},
    **{f"{name} empty": header(name, "") for name in (*SIGNED, SIGNATURE)},
    **{f"{name} doubled by a comma": doubled(name) for name in SIGNED},
    "certificate id nobody pinned": signed_as(certificate_id="00002"),
    "certificate id that is a path": header(SIGNED[0], "../../etc/passwd"),
    "certificate id that is an address": header(SIGNED[0], "https://evil.example/00001"),
    "later end of the window": header(SIGNED[4], "2099-01-01T00:00:00.000Z"),
    "earlier begin of the window": header(SIGNED[5], "2001-01-01T00:00:00.000Z"),
    "signed an hour ago": at(timedelta(hours=-1)),
    "signed in an hour": at(timedelta(hours=1)),
    "signed just before the tolerance": at(timedelta(minutes=-10, seconds=-5)),
    "another vault id": header(SIGNED[8], "4711"),
    "another vault id, signed": signed_as(vault_id=4711),
    "vault id beyond any number": header(SIGNED[8], "9" * 400),
    "signature of nothing": header(SIGNATURE, base64.b64encode(b"\0" * 256).decode()),
    "signature that is no Base64": header(SIGNATURE, "*" * 344),
    "signature of a megabyte": header(SIGNATURE, "A" * 1_000_000),
    "signed header added on the way": header("X-VaultAPISignature-HostVault", "evil.example"),
    "URL of elsewhere": signed_as(url="https://elsewhere.example.com/v/1/spark/arrivals__c"),
    "URL over plain http": signed_as(url="http://other.example.com/spark"),
    "URL with a query that was not asked": lambda letter, raw: (raw, letter.headers(raw, url=letter.url + "?a=1")),
    "request type of the handshake": signed_as(request_type="vault_peering"),
    "envelope of another message": signed_as(request_id=uuid4()),
    "first byte of the body": altered(flip(0)),
    "middle byte of the body": altered(flip(150)),
    "last byte of the body": altered(flip(-2)),
    "body with a line break": altered(lambda raw: raw + b"\n"),
    "body written anew": altered(lambda raw: json.dumps(json.loads(raw)).encode()),
    "body in UTF-16": altered(lambda raw: raw.decode().encode("utf-16")),
    "empty body": altered(lambda raw: b""),
    "body cut off": altered(lambda raw: raw[: len(raw) // 2]),
    "body cut off and signed so": signed_over(lambda raw: raw[: len(raw) // 2]),
    "empty body signed so": signed_over(lambda raw: b""),
    "empty object": signed_over(lambda raw: b"{}"),
    "list": signed_over(lambda raw: b"[]"),
    "no JSON": signed_over(lambda raw: b"\xff\xfe"),
    "nested a thousand deep": signed_over(lambda raw: b"[" * 1000 + b"]" * 1000),
    "same key twice": signed_over(lambda raw: raw[:-1] + b',"queue_name":"other__c"}'),
    "not a number": signed_over(lambda raw: raw.replace(b'"send_attempt":1', b'"send_attempt":NaN')),
    "number of ten thousand digits": signed_over(lambda raw: raw.replace(b":1,", b":" + b"9" * 10_000 + b",")),
    "byte order mark": signed_over(lambda raw: b"\xef\xbb\xbf" + raw),
    "half of a surrogate pair": signed_over(lambda raw: raw.replace(b"Other Vault", b"\\ud800")),
    "NUL in an attribute": signed_over(message(attributes={"a": "\x00"})),
    "message that is a text": signed_over(edited(message="hello")),
    "no message": signed_over(lambda raw: b'{"message_id":"x"}'),
    "another message id inside": signed_over(edited(message_id=str(uuid4()))),
    "message id that is none": signed_over(edited(message_id="1")),
    "items that are numbers": signed_over(message(items=[1, 2])),
    "items that are an object": signed_over(message(items={"0": "a"})),
    "501 items": signed_over(message(items=["x"] * 501)),
    "item of 101 characters": signed_over(message(items=["x" * 101])),
    "51 attributes": signed_over(message(attributes={f"a{number}": 1 for number in range(51)})),
    "attribute that is a list": signed_over(message(attributes={"a": [1]})),
    "attribute of 1,501 characters": signed_over(message(attributes={"a": "x" * 1_501})),
    "attribute name with a blank": signed_over(message(attributes={"a b": 1})),
    "queue name that is a number": signed_over(edited(queue_name=7)),
}


def test_no_forgery_gets_in_and_none_learns_why(client, letter, goal):
    d1 = goal("D1")
    post(client, letter, headers={})
    let_in, answers, slow, silent = [], set(), [], []

    for name, forge in FORGERIES.items():
        fresh = replace(letter, message_id=uuid4())
        raw, headers = forge(fresh, fresh.raw())
        before, started = events().count(), time.thread_time()
        response = post(client, fresh, raw=raw, headers=headers)
        worked = time.thread_time() - started
        answers.add((response.status_code, response.content, tuple(sorted(response.headers.items()))))
        if response.status_code != 401 or stored():
            let_in.append(name)
        if events().count() != before + 1:
            silent.append(name)
        if worked > 0.5:
            slow.append((name, worked))

    d1.reached(
        figure={"let in": let_in, "without an event": silent, "answers": len(answers), "tried": len(FORGERIES)},
        target={"let in": [], "without an event": [], "answers": 1, "tried": len(FORGERIES)},
        ok=not let_in and not silent and len(answers) == 1 and not slow,
    )
    assert len(FORGERIES) >= 70


def test_reason_stands_in_our_own_trail_only(client, letter, pair):
    response = post(client, letter, headers=letter.headers() | {SIGNED[8]: "4711"})

    event = events().get()
    assert event.chain == pair.source.pk
    assert event.source_ip == "127.0.0.1"
    assert "peers" in event.reason
    assert event.reason not in response.content.decode()


def test_flood_of_junk_leaves_a_bounded_number_of_rows_and_costs_no_more_questions(
    client, letter, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(security_events, "ROWS_A_MINUTE", 5)
    monkeypatch.setattr(security_events, "_floods", {})
    monkeypatch.setattr(security_events, "_QUIET", timedelta(hours=1))
    for _ in range(8):
        assert post(client, letter, headers={}).status_code == 401

    with django_assert_max_num_queries(2):
        post(client, letter, headers={})

    assert events().count() == 5


def test_message_captured_for_one_vault_is_not_believed_by_another(client, letter, pair, goal):
    raw, headers = letter.raw(), letter.headers()
    path = f"/v/{pair.target.pk}/spark/{letter.queue.name}"

    status = post(client, letter, raw=raw, headers=headers, path=path).status_code

    goal("D3").reached(figure=status, target=401, ok=status == 401 and not stored())


def test_message_captured_for_one_queue_is_not_believed_for_another(client, letter):
    assert post(client, letter, path=letter.path.replace("arrivals", "others")).status_code == 401


def test_vault_of_the_same_other_installation_cannot_speak_for_its_sister(client, letter, peer):
    sister = SparkLetter(replace(peer, vault_id=peer.vault_id + 1), letter.queue)

    assert post(client, sister).status_code == 401
    assert not stored()


def test_certificate_is_looked_up_without_a_file_or_the_network(client, letter, goal):
    post(client, letter)
    seen = []

    def hook(event, arguments):
        if watching and (event in ("open", "os.listdir", "subprocess.Popen") or event.startswith("socket.")):
            seen.append((event, arguments))

    watching = False
    sys.addaudithook(hook)
    ids = ("00001", "00002", "../../etc/passwd", os.devnull, "https://evil.example/")
    tries = [(SparkLetter(letter.peer, letter.queue), number) for number in ids]
    ready = [(one, one.raw(), one.headers() | {SIGNED[0]: number}) for one, number in tries]
    watching = True
    try:
        for one, raw, headers in ready:
            post(client, one, raw=raw, headers=headers)
    finally:
        watching = False

    goal("D5").reached(figure=[str(entry) for entry in seen], target=[], ok=not seen)
