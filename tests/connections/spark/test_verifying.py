import subprocess
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from connections import signed_json
from connections.services.signing import certificates
from connections.spark import envelope, signing
from connections.spark.verifying import SignatureRefused, read_request
from tests.factories.connections import shared_key

URL = "https://receiver.example.com/spark?tenant=a"
NOW = datetime(2025, 1, 15, 10, 0, tzinfo=UTC)
BODY = b'{"message":{"items":["V4W000000000101"]}}'
REQUIRED = sorted(
    envelope.Envelope("00001", UUID(int=1), NOW, UUID(int=2), "spark_message", URL, 1001).headers()
    | {"X-VaultAPI-SignatureV2": ""}
)


def request(*, url=URL, key=None, **changes):
    """The headers of a good request, some of them replaced before they are signed."""
    headers = envelope.Envelope("00001", uuid4(), NOW, uuid4(), "spark_message", url, 1001).headers()
    headers |= {f"X-VaultAPISignature-{name}": value for name, value in changes.items()}
    return headers | signing.sign(headers, BODY, url=url, key=key or shared_key())


def accept(headers, *, body=BODY, url=URL, now=NOW, key=None):
    read = read_request(headers.items() if isinstance(headers, dict) else headers, urls=[url])
    read.verify(body, (key or shared_key()).public_key())
    read.check_time(now)
    return read


def test_good_request_is_read():
    read = accept(request())

    assert (read.certificate_id, read.vault_id, read.request_type) == ("00001", 1001, "spark_message")
    assert (read.sent_at, read.not_before, read.not_after) == (
        NOW,
        NOW - timedelta(minutes=1),
        NOW + timedelta(minutes=5),
    )


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title, str.swapcase])
def test_case_of_header_names_does_not_matter(case):
    accept({case(name): value for name, value in request().items()})


@pytest.mark.parametrize("url", [URL, "https://receiver.example.com/spark", f"{URL}&b=%20x&c="])
def test_query_of_the_url_is_signed_as_it_stands(url):
    accept(request(url=url), url=url)


def test_blanks_around_values_do_not_matter():
    accept({name: f" {value}\t" for name, value in request().items()})


def test_unknown_signed_header_is_part_of_the_signature():
    headers = request(HostVault="alpha.example.com")

    accept(headers)
    with pytest.raises(SignatureRefused, match="does not fit"):
        accept(headers | {"X-VaultAPISignature-HostVault": "beta.example.com"})
    with pytest.raises(SignatureRefused, match="does not fit"):
        accept({name: value for name, value in headers.items() if "HostVault" not in name})


def test_unsigned_headers_are_ignored():
    accept(request() | {"Content-Type": "text/html", "X_Other": "1", "X-Vault": "2"})


@pytest.mark.parametrize("length", [64, 76])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r\n "])
def test_line_breaks_of_a_mime_encoder_are_tolerated(length, line_end):
    headers = request()
    signature = headers[signing.SIGNATURE]
    lines = [signature[place : place + length] for place in range(0, len(signature), length)]

    accept(headers | {signing.SIGNATURE: line_end.join(lines)})


@pytest.mark.parametrize("name", REQUIRED)
def test_missing_or_empty_header_is_refused(name):
    for headers in (request() | {name: " "}, {k: v for k, v in request().items() if k != name}):
        with pytest.raises(SignatureRefused, match="missing or empty"):
            accept(headers)


@pytest.mark.parametrize("name", REQUIRED)
def test_header_that_stands_there_twice_is_refused(name):
    headers = request()

    for twin in (name, name.upper(), name.replace("-", "_")):
        with pytest.raises(SignatureRefused, match="twice or under a look-alike"):
            accept([*headers.items(), (twin, headers[name])])
        with pytest.raises(SignatureRefused, match="twice or under a look-alike"):
            accept([(twin, headers[name]), *headers.items()])


def test_underscore_twin_alone_is_refused():
    headers = {name.replace("-", "_") if "VaultId" in name else name: value for name, value in request().items()}

    with pytest.raises(SignatureRefused, match="look-alike"):
        accept(headers)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CertificateId", "1"),
        ("CertificateId", "000001"),
        ("CertificateId", "../00001"),
        ("CertificateId", "٠٠٠٠١"),
        ("CertificateId", "00001,00001"),
        ("VaultId", "0"),
        ("VaultId", "-1"),
        ("VaultId", "1001,1001"),
        ("VaultId", "9" * 19),
        ("VaultId", "9" * 40),
        ("RequestDateTime", "now"),
        ("RequestDateTime", "2025-01-15T10:00:00+00:00"),
        ("RequestNotAfter", "2025-02-30T10:00:00Z"),
        ("RequestNotAfter", "9999-12-31T23:59:59Z"),
        ("RequestNotBefore", "0001-01-01T00:00:00Z"),
        ("RequestNotBefore", "2025-01-15T10:00:00.Z"),
        ("RequestType", "spark\nmessage"),
        ("RequestType", "x" * 5_000),
        ("RequestId", "\udc80"),
        ("Unknown", "a\x00b"),
    ],
)
def test_value_that_is_not_written_right_is_refused(name, value):
    with pytest.raises(SignatureRefused):
        accept(request() | {f"X-VaultAPISignature-{name}": value})


@pytest.mark.parametrize("signature", ["", "%%%", "AAAA", "=", "A" * 343, "é" * 4])
def test_signature_that_is_none_is_refused(signature):
    with pytest.raises(SignatureRefused):
        accept(request() | {signing.SIGNATURE: signature})


@pytest.mark.parametrize("name", [name for name in REQUIRED if name != "X-VaultAPI-SignatureV2"])
def test_changed_header_is_refused(name):
    headers = request()
    for place, letter in enumerate(headers[name]):
        changed = headers[name][:place] + chr(ord(letter) ^ 1) + headers[name][place + 1 :]
        with pytest.raises(SignatureRefused):
            accept(headers | {name: changed})


def test_every_changed_byte_of_the_signature_is_refused():
    headers = request()
    signature = headers[signing.SIGNATURE]
    for place, letter in enumerate(signature):
        for other in (chr(ord(letter) ^ 1), "A" if letter != "A" else "B"):
            with pytest.raises(SignatureRefused):
                accept(headers | {signing.SIGNATURE: signature[:place] + other + signature[place + 1 :]})


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_changed_byte_of_the_body_is_refused(place, mask):
    body = BODY[:place] + bytes([BODY[place] ^ mask]) + BODY[place + 1 :]

    with pytest.raises(SignatureRefused, match="does not fit"):
        accept(request(), body=body)


@pytest.mark.parametrize("body", [b"", BODY + b"\n", BODY + b" ", BODY[:-1], b"\xef\xbb\xbf" + BODY])
def test_body_that_is_longer_or_shorter_is_refused(body):
    with pytest.raises(SignatureRefused, match="does not fit"):
        accept(request(), body=body)


def test_parts_cannot_move_between_headers_body_and_url():
    headers = request()
    moved = f"x-vaultapisignature-vaultid:{headers.pop('X-VaultAPISignature-VaultId')}\n".encode() + BODY

    with pytest.raises(SignatureRefused):
        accept(headers, body=moved)


def test_legacy_signature_alone_is_not_enough():
    headers = request()
    headers[signing.SIGNATURE] = headers[signing.LEGACY_SIGNATURE]

    with pytest.raises(SignatureRefused, match="does not fit"):
        accept(headers)


def test_another_key_is_refused():
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    with pytest.raises(SignatureRefused, match="does not fit"):
        accept(request(key=other))


@pytest.mark.parametrize(
    "url",
    [
        "https://receiver.example.com/spark",
        "https://receiver.example.com/spark?tenant=b",
        "http://receiver.example.com/spark?tenant=a",
        "https://receiver.example.com:443/spark?tenant=a",
        "https://receiver.example.com/spark?tenant=a#x",
        "https://RECEIVER.example.com/spark?tenant=a",
    ],
)
def test_request_that_came_in_at_another_url_is_refused(url):
    with pytest.raises(SignatureRefused, match="not the one"):
        accept(request(), url=url)


@pytest.mark.parametrize(
    ("offset", "good"), [(-361, False), (-360, True), (-60, True), (0, True), (300, True), (600, True), (601, False)]
)
def test_time_window_has_five_minutes_of_tolerance_on_both_ends(offset, good):
    headers = request()

    if good:
        accept(headers, now=NOW + timedelta(seconds=offset))
    else:
        with pytest.raises(SignatureRefused, match="clocks"):
            accept(headers, now=NOW + timedelta(seconds=offset))


def test_times_without_and_with_fractions_are_read():
    read = accept(request(RequestDateTime="2025-01-15T10:00:00Z", RequestNotAfter="2025-01-15T10:05:00.123456789Z"))

    assert read.sent_at == NOW
    assert read.not_after.microsecond == 123_456


def test_openssl_verifies_a_captured_request(tmp_path):
    certificate = certificates._self_signed(shared_key(), "Alpha", datetime.now(UTC))
    headers = request()
    read = read_request(headers.items(), urls=[URL])
    (tmp_path / "certificate.pem").write_text(signed_json.certificate_pem(certificate))
    (tmp_path / "signed").write_bytes(signing.string_to_verify(headers, BODY, URL))
    (tmp_path / "signature").write_bytes(read.signature)

    def openssl(*arguments):
        return subprocess.run(["openssl", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=30)

    (tmp_path / "key.pem").write_text(openssl("x509", "-in", "certificate.pem", "-pubkey", "-noout").stdout)
    verdict = openssl("dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "signed")

    assert verdict.stdout.strip() == "Verified OK"
