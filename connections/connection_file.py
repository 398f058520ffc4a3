"""The connection file: bytes ↔ ConnectionFile. Pure: keys and clock are passed in (veeva-core section 3).

The signature proves that whoever holds the certificate inside wrote the file. Whether that certificate may speak for
the vault it names is decided by the reader: for a vault of this installation it must be our own.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from connections import signed_json
from connections.constants import ConnectionType
from connections.shape import Fields, ShapeError, write_base64, write_moment

FORMAT = "vault-connection-file"
VERSION = 1
MAX_BYTES = 64 * 1024
NONCE_BYTES = 32

_TOP = [
    "format",
    "version",
    "file_id",
    "generation",
    "issued_at",
    "expires_at",
    "nonce",
    "source",
    "connection",
    "remote_vault_id",
    "certificate_id",
    "certificate_pem",
    "signature",
]
_SOURCE = ["installation_id", "vault_id", "vault_name", "dns", "domain", "application", "peering_url"]
_CONNECTION = ["id", "name", "api_name", "object_type", "system_managed", "standard_key"]


class ConnectionFileError(ValueError):
    """The file cannot be used; one sentence that says what to do."""


@dataclass(frozen=True)
class FileSource:
    """The vault that issued the file."""

    installation_id: UUID
    vault_id: int
    vault_name: str
    dns: str
    domain: str
    application: str
    peering_url: str


@dataclass(frozen=True)
class FileConnection:
    """The source's connection record as the file describes it."""

    id: str
    name: str
    api_name: str
    object_type: str
    system_managed: bool
    standard_key: str | None


@dataclass(frozen=True)
class ConnectionFile:
    """Everything a connection file says; `sha256` is the hash of its exact bytes."""

    file_id: UUID
    generation: int
    issued_at: datetime
    expires_at: datetime
    nonce: bytes
    source: FileSource
    connection: FileConnection
    remote_vault_id: int | None
    certificate_id: str
    certificate_pem: str
    sha256: str = ""

    @property
    def needs_approval(self) -> bool:
        """Without a Remote Vault ID people on both sides decide."""
        return self.remote_vault_id is None


def write(file: ConnectionFile, private_key: rsa.RSAPrivateKey) -> bytes:
    """The signed bytes people download; the same file and key always give the same bytes."""
    source = {**asdict(file.source), "installation_id": str(file.source.installation_id)}
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "file_id": str(file.file_id),
        "generation": file.generation,
        "issued_at": write_moment(file.issued_at),
        "expires_at": write_moment(file.expires_at),
        "nonce": write_base64(file.nonce),
        "source": source,
        "connection": asdict(file.connection),
        "remote_vault_id": file.remote_vault_id,
        "certificate_id": file.certificate_id,
        "certificate_pem": file.certificate_pem,
    }
    return signed_json.sign(document, private_key)


def read(raw: bytes) -> ConnectionFile:
    """Parse and check the signature; ConnectionFileError for anything but an untouched connection file."""
    if len(raw) > MAX_BYTES:
        raise ConnectionFileError("This file is too large to be a connection file; choose the file the Vault gave out.")
    try:
        document = signed_json.parse(raw, max_bytes=MAX_BYTES)
        file, certificate = _parse(document, raw)
        signed_json.verify(document, certificate)
    except (signed_json.DocumentRefused, ShapeError) as error:
        raise ConnectionFileError(
            f"This is not an untouched connection file: {_lower_first(str(error))} Download it again."
        ) from error
    return file


def _parse(document: dict[str, Any], raw: bytes) -> tuple[ConnectionFile, x509.Certificate]:
    top = Fields(document, _TOP)
    if top.text("format") != FORMAT or top.number("version") != VERSION:
        raise ShapeError("The format or its version is not one this Vault reads.")
    certificate_pem = top.text("certificate_pem", longest=signed_json.MAX_PEM, lines=True)
    file = ConnectionFile(
        file_id=top.uuid("file_id"),
        generation=top.number("generation"),
        issued_at=top.moment("issued_at"),
        expires_at=top.moment("expires_at"),
        nonce=top.octets("nonce", size=NONCE_BYTES),
        source=_parse_source(top.section("source", _SOURCE)),
        connection=_parse_connection(top.section("connection", _CONNECTION)),
        remote_vault_id=top.number_or_none("remote_vault_id"),
        certificate_id=top.filled("certificate_id", longest=5),
        certificate_pem=certificate_pem,
        sha256=hashlib.sha256(raw).hexdigest(),
    )
    return file, signed_json.read_certificate(certificate_pem)


def _parse_source(source: Fields) -> FileSource:
    return FileSource(
        installation_id=source.uuid("installation_id"),
        vault_id=source.number("vault_id"),
        vault_name=source.filled("vault_name", longest=128),
        dns=source.filled("dns", longest=253),
        domain=source.text("domain", longest=253),
        application=source.text("application", longest=64),
        peering_url=source.filled("peering_url", longest=2000),
    )


def _parse_connection(connection: Fields) -> FileConnection:
    object_type = connection.text("object_type")
    if object_type != ConnectionType.VAULT_TO_VAULT:
        raise ShapeError("The connection in it is not a Vault to Vault connection.")
    standard_key = None if connection.raw("standard_key") is None else connection.filled("standard_key", longest=64)
    return FileConnection(
        id=connection.filled("id", longest=15),
        name=connection.filled("name", longest=128),
        api_name=connection.filled("api_name", longest=40),
        object_type=object_type,
        system_managed=connection.flag("system_managed"),
        standard_key=standard_key,
    )


def _lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
