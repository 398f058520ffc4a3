import hashlib
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from connections.spark import envelope, signing
from connections.spark.message import write_payload

URL = "https://receiver.example.com/spark?tenant=a"
SENT = datetime(2025, 1, 15, 10, 0, tzinfo=UTC)
MESSAGE = UUID("bb28d4ca-3a37-4fef-91ae-93c3a4ec1d8d")
SIGNED_HEADERS = """x-vaultapisignature-certificateid:00001
x-vaultapisignature-executionid:5f1d7c1e-3f1a-4b5d-9c36-0f6a1d9a0001
x-vaultapisignature-requestdatetime:2025-01-15T10:00:00.000Z
x-vaultapisignature-requestid:bb28d4ca-3a37-4fef-91ae-93c3a4ec1d8d
x-vaultapisignature-requestnotafter:2025-01-15T10:05:00.000Z
x-vaultapisignature-requestnotbefore:2025-01-15T09:59:00.000Z
x-vaultapisignature-requesttype:spark_message
x-vaultapisignature-url:https://receiver.example.com/spark?tenant=a
x-vaultapisignature-vaultid:1001
"""


@pytest.fixture
def headers():
    return envelope.Envelope(
        certificate_id="00001",
        execution_id=UUID("5f1d7c1e-3f1a-4b5d-9c36-0f6a1d9a0001"),
        sent_at=SENT,
        request_id=MESSAGE,
        request_type=envelope.SPARK_MESSAGE,
        url=URL,
        vault_id=1001,
    ).headers()


@pytest.fixture
def body():
    return envelope.SparkBody(
        vault_name="Alpha",
        vault_host_name="alpha.example.com",
        queue_name="demo_out__c",
        entered_at=datetime(2025, 1, 15, 9, 59, 59, tzinfo=UTC),
        sent_at=SENT,
        attempt=1,
        message_id=MESSAGE,
        message=write_payload({"integration_point": "receive_demo__c"}, ["V4W000000000101"]),
    ).write()


def digest(value):
    return len(value), hashlib.sha256(value).hexdigest()


def test_body_is_the_documented_one_byte_for_byte(body):
    assert digest(body) == (352, "7a7ef07c16ddac81489557cd7722db629d6226bab50d075c3de47c48da0745f0")


def test_legacy_string_is_the_documented_one_byte_for_byte(headers, body):
    signed = signing.legacy_string(headers, body)

    assert signed == SIGNED_HEADERS.encode() + body
    assert digest(signed) == (859, "93a8357d6ce7d0dd97861793afafb1b61ff3ae4a1c13cbfd5361ab21402b72be")


def test_string_to_verify_is_the_documented_one_byte_for_byte(headers, body):
    signed = signing.string_to_verify(headers, body, URL)

    assert signed == SIGNED_HEADERS.encode() + body + b"\n" + URL.encode()
    assert digest(signed) == (903, "e938bc6c6db1cbafb6737f16c5d4d78e484b8a0d33025857eabdb64e240b7969")


def test_headers_that_are_not_signed_leave_the_string_alone(headers, body):
    more = headers | {signing.SIGNATURE: "abc", signing.LEGACY_SIGNATURE: "def", "Content-Type": "application/json"}

    assert signing.string_to_verify(more, body, URL) == signing.string_to_verify(headers, body, URL)


def test_attributes_keep_their_types_and_text_its_letters():
    body = envelope.SparkBody(
        vault_name="Zürich",
        vault_host_name="z.example.com",
        queue_name="q__c",
        entered_at=SENT,
        sent_at=SENT,
        attempt=2,
        message_id=MESSAGE,
        message=write_payload({"has_related": True, "related_count": 100}, ["OP0000000010I13"]),
    ).write()

    assert '"vault_name":"Zürich"'.encode() in body
    assert b'"attributes":{"has_related":true,"related_count":100}' in body
    assert b'"send_attempt":2,' in body


def test_times_are_cut_to_milliseconds_and_put_into_utc():
    local = datetime(2025, 1, 15, 11, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))

    assert envelope.write_instant(local) == "2025-01-15T10:00:00.999Z"
