import json
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from connections import connection_file, signed_json
from connections.connection_file import ConnectionFile, ConnectionFileError, FileConnection, FileSource
from connections.services.signing import certificates
from tests.factories.connections import shared_key
from vaultadmin.strict_json import canonical

NOW = datetime(2026, 5, 14, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def key():
    return shared_key()


@pytest.fixture(scope="module")
def certificate_pem(key):
    return signed_json.certificate_pem(certificates._self_signed(key, "Alpha", NOW))


@pytest.fixture
def file(certificate_pem):
    return ConnectionFile(
        file_id=UUID("11111111-2222-4333-8444-555555555555"),
        generation=3,
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=72),
        nonce=bytes(range(32)),
        source=FileSource(
            installation_id=UUID("99999999-2222-4333-8444-555555555555"),
            vault_id=1001,
            vault_name="Alpha “Ω”",
            dns="alpha.example.org",
            domain="example.org",
            application="Clinical Operations",
            peering_url="https://alpha.example.org/v/1001/peering/",
        ),
        connection=FileConnection("V17000000000101", "Safety", "safety", "vault_to_vault__sys", False, None),
        remote_vault_id=1002,
        certificate_id="00001",
        certificate_pem=certificate_pem,
    )


def signed(document, key):
    return signed_json.sign({name: value for name, value in document.items() if name != "signature"}, key)


def test_file_written_and_read_is_the_same(file, key):
    read = connection_file.read(connection_file.write(file, key))

    assert read.sha256
    assert {**vars(read), "sha256": ""} == vars(file)


def test_file_is_the_documented_json(file, key):
    document = json.loads(connection_file.write(file, key))

    assert document["format"] == "vault-connection-file"
    assert document["version"] == 1
    assert document["issued_at"] == "2026-05-14T09:30:00Z"
    assert document["source"]["vault_id"] == 1001
    assert document["remote_vault_id"] == 1002
    assert set(document) == set(connection_file._TOP)


def test_same_file_gives_the_same_bytes(file, key):
    assert connection_file.write(file, key) == connection_file.write(file, key)


def mutations(raw: bytes, count: int):
    """Single-byte changes, removals, insertions and cuts, spread over the whole file, the same in every run."""
    chance = random.Random(632)
    for number in range(count):
        place = chance.randrange(len(raw))
        kind = number % 5
        if kind == 0:
            yield raw[:place] + bytes([raw[place] ^ (1 << chance.randrange(8))]) + raw[place + 1 :]
        elif kind == 1:
            yield raw[:place] + raw[place + 1 :]
        elif kind == 2:
            yield raw[:place] + chance.choice([b" ", b"0", b'"', b"}", b"\n", b"\x00", b"\xff"]) + raw[place:]
        elif kind == 3:
            yield raw[:place]
        else:
            yield raw[:place] + chance.randbytes(1) + raw[place + 1 :]


def test_every_mutation_is_refused(file, key):
    raw = connection_file.write(file, key)
    tried = 0

    for mutated in mutations(raw, 632):
        if mutated == raw:
            continue
        with pytest.raises(ConnectionFileError):
            connection_file.read(mutated)
        tried += 1

    assert tried > 600


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b"[]",
        b"null",
        b"{}",
        b"\xef\xbb\xbf{}",
        b"PK\x03\x04",
        b'{"a":1,"a":2}',
        b"[" * 5000,
        b"9" * 60_000,
        b"x" * (connection_file.MAX_BYTES + 1),
    ],
)
def test_bytes_that_are_no_file_are_refused_in_one_sentence(raw):
    with pytest.raises(ConnectionFileError) as refusal:
        connection_file.read(raw)

    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), "other"),
        (("version",), 2),
        (("version",), True),
        (("file_id",), "no uuid"),
        (("file_id",), "11111111-2222-4333-8444-55555555555A"),
        (("generation",), 0),
        (("generation",), 2**63),
        (("generation",), 1.0),
        (("issued_at",), "2026-05-14 09:30:00"),
        (("expires_at",), "2026-05-14T09:30:00+00:00"),
        (("expires_at",), "2026-13-14T09:30:00Z"),
        (("nonce",), "AAAA"),
        (("nonce",), 5),
        (("source",), []),
        (("source", "vault_id"), "1001"),
        (("source", "vault_id"), -1),
        (("source", "vault_name"), " "),
        (("source", "vault_name"), "a\nb"),
        (("source", "dns"), "x" * 254),
        (("connection", "object_type"), "external__sys"),
        (("connection", "system_managed"), 0),
        (("connection", "id"), ""),
        (("connection", "standard_key"), ""),
        (("remote_vault_id",), "1002"),
        (("certificate_pem",), "-----BEGIN CERTIFICATE-----"),
        (("certificate_pem",), "x" * 20_000),
        (("certificate_id",), "000001"),
    ],
)
def test_properly_signed_file_with_a_wrong_field_is_refused(file, key, path, value):
    document = json.loads(connection_file.write(file, key))
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value

    with pytest.raises(ConnectionFileError):
        connection_file.read(signed(document, key))


@pytest.mark.parametrize("change", ["missing", "extra"])
def test_properly_signed_file_with_other_fields_is_refused(file, key, change):
    document = json.loads(connection_file.write(file, key))
    if change == "missing":
        del document["nonce"]
    else:
        document["more"] = 1

    with pytest.raises(ConnectionFileError):
        connection_file.read(signed(document, key))


def test_file_signed_with_another_key_than_its_certificate_is_refused(file):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    with pytest.raises(ConnectionFileError, match="signature"):
        connection_file.read(connection_file.write(file, other))


def test_signature_in_another_base64_writing_is_refused(file, key):
    document = json.loads(connection_file.write(file, key))
    text = document["signature"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = text.rstrip("=")[-1]
    spare = alphabet[alphabet.index(last) ^ 1]
    document["signature"] = text.rstrip("=")[:-1] + spare + "=" * text.count("=")

    with pytest.raises(ConnectionFileError):
        connection_file.read(canonical(document))


def test_file_with_a_short_key_is_refused(file):
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    pem = signed_json.certificate_pem(certificates._self_signed(weak, "Weak", NOW))
    document = json.loads(connection_file.write(file, weak)) | {"certificate_pem": pem}

    with pytest.raises(ConnectionFileError, match="2048"):
        connection_file.read(signed(document, weak))
