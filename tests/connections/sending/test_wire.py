import json
import subprocess
from base64 import b64decode, b64encode
from datetime import datetime, timedelta

import pytest

from connections.delivery import draining
from connections.models import ConnectionStats, DeliveryAttempt, Lane, MessageCopy, SigningCertificate
from connections.services.messages import tallies
from tests.connections.sending.captured import PREFIX, Captured
from tests.factories.connections import make_authorization, make_external
from tests.factories.spark import make_outbound, put
from tests.vaultadmin.outbound.peers import answer
from vaultadmin import clock

SIGNED = [
    "certificateid",
    "executionid",
    "requestdatetime",
    "requestid",
    "requestnotafter",
    "requestnotbefore",
    "requesttype",
    "url",
    "vaultid",
]


@pytest.fixture
def sent(admin, queue, listen):
    peer = listen(answer())
    response = put(queue, admin, attributes={"n": 1, "b": True, "t": "Zürich"}, items=["A", "B"])

    assert draining.drain() == 1
    return Captured(peer.requests[0]), response.copies[0], MessageCopy.objects.get()


def instant(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def test_the_request_is_the_documented_one(sent, admin, queue):
    request, put_, copy = sent

    assert request.line == "POST / HTTP/1.1"
    assert [name for name in sorted(request.headers) if name.startswith(PREFIX)] == [PREFIX + name for name in SIGNED]
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "Veeva Vault Spark Message Agent"
    assert request.part("requestid") == str(put_.message_id)
    assert request.part("executionid") == str(copy.content.execution_id)
    assert request.part("requesttype") == "spark_message"
    assert request.part("url") == "https://rtsm.example.com/"
    assert request.part("vaultid") == str(admin.vault_id)
    assert request.part("certificateid") == "00001"
    sent_at = instant(request.part("requestdatetime"))
    assert instant(request.part("requestnotafter")) - sent_at == timedelta(minutes=5)
    assert sent_at - instant(request.part("requestnotbefore")) == timedelta(minutes=1)
    assert "authorization" not in request.headers


def test_the_body_has_the_documented_keys_in_their_order_and_types_are_kept(sent, admin, queue):
    request, put_, copy = sent
    body = json.loads(request.body)

    assert list(body) == [
        "vault_name",
        "vault_host_name",
        "queue_name",
        "enter_queue_timestamp",
        "send_message_timestamp",
        "send_attempt",
        "message_id",
        "message",
    ]
    assert (body["vault_name"], body["vault_host_name"]) == (admin.vault.name, admin.vault.dns)
    assert (body["queue_name"], body["send_attempt"], body["message_id"]) == (queue.name, 1, str(put_.message_id))
    assert body["message"] == {"attributes": {"n": 1, "b": True, "t": "Zürich"}, "items": ["A", "B"]}
    assert body["send_message_timestamp"] == request.part("requestdatetime")
    assert abs(instant(body["enter_queue_timestamp"]) - copy.entered_at) < timedelta(milliseconds=1)
    assert b'"attributes":{"n":1,"b":true,"t":"Z\xc3\xbcrich"}' in request.body


@pytest.mark.parametrize(("header", "with_url"), [("x-vaultapi-signaturev2", True), ("x-vaultapi-signature", False)])
def test_openssl_alone_verifies_what_was_on_the_wire(sent, tmp_path, header, with_url):
    request, _put, _copy = sent
    string = request.string() + (b"\n" + request.part("url").encode() if with_url else b"")
    files = {"string": string, "signature": b64decode(request.headers[header])}
    files["certificate"] = SigningCertificate.objects.get(certificate_id="00001").pem.encode()
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    def openssl(*arguments):
        return subprocess.run(["openssl", *arguments], cwd=tmp_path, capture_output=True, check=False)

    (tmp_path / "key").write_bytes(openssl("x509", "-in", "certificate", "-pubkey", "-noout").stdout)
    verify = ("dgst", "-sha256", "-verify", "key", "-signature", "signature", "string")

    assert openssl(*verify).stdout == b"Verified OK\n"
    (tmp_path / "string").write_bytes(string.replace(b'"n":1', b'"n":2'))
    assert openssl(*verify).returncode != 0


def test_what_was_delivered_is_settled_counted_and_kept_as_an_attempt(sent, queue, connection):
    copy = sent[2]
    attempt, lane = DeliveryAttempt.objects.get(), Lane.objects.get()

    assert (copy.state, copy.due_at, copy.attempts, copy.lease_token) == ("delivered", None, 1, None)
    assert (attempt.outcome, attempt.status, attempt.answer, attempt.number) == ("delivered", 200, "hello", 1)
    assert (attempt.url, attempt.certificate_id) == ("https://rtsm.example.com/", "00001")
    assert attempt.started_at <= attempt.ended_at
    assert (lane.last_outcome, lane.failures_in_row, lane.paused_until) == ("ok", 0, None)
    assert tallies.waiting(queue) == 0
    stats = ConnectionStats.objects.get(connection=connection)
    assert (stats.sent, stats.failures, stats.retries, stats.fatal) == (1, 0, 0, 0)


def test_a_path_is_appended_and_signed_as_it_is_called(admin, listen):
    connection = make_external(admin, api_name="with_query", url="https://rtsm.example.com/spark?tenant=a")
    queue = make_outbound(admin, connection)
    peer = listen(answer())
    put(queue, admin, paths={"with_query": "/study/7?x=1"})

    draining.drain()

    request = Captured(peer.requests[0])
    assert request.line == "POST /spark/study/7?tenant=a&x=1 HTTP/1.1"
    assert request.part("url") == "https://rtsm.example.com/spark/study/7?tenant=a&x=1"


def test_tokens_are_filled_in_at_sending_in_url_and_attributes(admin, listen):
    authorization = make_authorization(admin, type="basic_auth__sys", identity="me", secret="s3cret value")
    url = "https://rtsm.example.com/${Vault.id}/${Custom.site}"
    connection = make_external(admin, api_name="filled", url=url, authorization=authorization)
    queue = make_outbound(admin, connection)
    echo = f"you said me:s3cret value, {b64encode(b'me:s3cret value').decode()}".encode()
    peer = listen(answer(echo))
    attributes = {"vault": "in ${Core.vaultid}", "site": "${Custom.site}", "key": "${Auth.AuthorizationValue}"}
    put(queue, admin, attributes=attributes, custom={"site": 12})

    draining.drain()

    request = Captured(peer.requests[0])
    basic = "Basic " + b64encode(b"me:s3cret value").decode()
    assert request.line == f"POST /{admin.vault_id}/12 HTTP/1.1"
    assert request.headers["authorization"] == basic
    assert json.loads(request.body)["message"]["attributes"] == {
        "vault": f"in {admin.vault_id}",
        "site": "12",
        "key": basic,
    }
    rows = [*DeliveryAttempt.objects.values(), *MessageCopy.objects.values()]
    stored = " ".join(str(value) for row in rows for value in row.values())
    assert basic.removeprefix("Basic ") not in stored
    assert "you said me:(masked), (masked)" in stored
    assert "s3cret" not in stored


def test_an_attribute_without_a_value_fails_the_attempt_and_is_tried_again(admin, queue, listen):
    peer = listen(answer())
    put(queue, admin, attributes={"a": "${Vault.nobody_defined_it}"})

    draining.drain()

    copy, attempt = MessageCopy.objects.get(), DeliveryAttempt.objects.get()
    assert (copy.state, attempt.outcome) == ("waiting", "not_sent")
    assert "${Vault.nobody_defined_it}" in attempt.error
    assert copy.due_at > clock.now()
    assert peer.requests == []


def test_a_url_that_comes_to_no_address_ends_the_message_at_once(admin, listen):
    queue = make_outbound(admin, make_external(admin, url="https://rtsm.example.com/${Custom.nobody}"))
    listen(answer())
    put(queue, admin)

    draining.drain()

    assert MessageCopy.objects.get().state == "failed"
    assert "${Custom.nobody}" in DeliveryAttempt.objects.get().error
    assert tallies.waiting(queue) == 0
