from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from connections import connection_file, signed_json
from connections.connection_file import ConnectionFile, FileConnection, FileSource
from connections.peering import protocol
from connections.peering.messages import Connect, Decision, MessageType, Party, VaultDetails
from connections.peering.remote import REQUEST_TYPE
from connections.services.signing import certificates
from connections.spark.envelope import Envelope
from connections.spark.signing import sign
from vaultadmin import clock
from vaultadmin.models import Installation


@lru_cache(maxsize=2)
def key_of_another_installation(number: int = 0) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@lru_cache(maxsize=4)
def certificate_for(key: rsa.RSAPrivateKey) -> str:
    return signed_json.certificate_pem(certificates._self_signed(key, "Other installation", clock.now()))


@dataclass
class RemotePeer:
    """A vault of another installation, which may have the numbers of one of ours."""

    vault_id: int
    installation_id: UUID = field(default_factory=uuid4)
    certificate_id: str = "00001"
    peering_url: str = "https://other.example.com/v/1/peering/"
    key: rsa.RSAPrivateKey = field(default_factory=key_of_another_installation)

    @property
    def party(self) -> Party:
        return Party(self.installation_id, self.vault_id)

    @property
    def details(self) -> VaultDetails:
        return VaultDetails("Other", "other.example.com", "example.com", "Safety", self.peering_url)

    def file(self, *, remote_vault_id: int | None = None, record: int = 1) -> ConnectionFile:
        now = clock.now().replace(microsecond=0)
        return ConnectionFile(
            file_id=uuid4(),
            generation=1,
            issued_at=now,
            expires_at=now + timedelta(hours=72),
            nonce=b"n" * connection_file.NONCE_BYTES,
            source=FileSource(
                self.installation_id,
                self.vault_id,
                self.details.name,
                self.details.dns,
                self.details.domain,
                self.details.application,
                self.peering_url,
            ),
            connection=FileConnection(f"V17{record:012}", "Link", "link", "vault_to_vault__sys", False, None),
            remote_vault_id=remote_vault_id,
            certificate_id=self.certificate_id,
            certificate_pem=certificate_for(self.key),
        )

    def write(self, file: ConnectionFile) -> bytes:
        return connection_file.write(file, self.key)

    def connect(self, issued_raw: bytes, **changes: Any) -> "Letter":
        """What this vault says after somebody uploaded a file of ours there."""
        file = connection_file.read(issued_raw)
        values: dict[str, Any] = {
            "exchange": file.file_id,
            "nonce": file.nonce,
            "file_sha256": file.sha256,
            "connection_id": "V17000000000099",
            "requested_by": "Someone There",
            "vault": self.details,
            "certificate_pem": certificate_for(self.key),
        } | changes
        to = Party(file.source.installation_id, file.source.vault_id)
        return Letter(self, MessageType.CONNECT, protocol.write_body(Connect(**values)), to)

    def decide(self, binding: Any, type_: MessageType = MessageType.APPROVE) -> "Letter":
        body = Decision(binding.exchange, "Approver There", clock.now().replace(microsecond=0), "Fine.")
        to = Party(Installation.current().pk, binding.connection.vault_id)
        return Letter(self, type_, protocol.write_body(body), to)


@dataclass
class Letter:
    """One message of a remote peer, to be posted as it is or with something wrong about it."""

    peer: RemotePeer
    type: MessageType
    body: dict[str, Any]
    to: Party
    message_id: UUID = field(default_factory=uuid4)
    sent_at: datetime = field(default_factory=clock.now)

    def raw(self, *, key: rsa.RSAPrivateKey | None = None, **changes: Any) -> bytes:
        values: dict[str, Any] = {
            "sender": self.peer.party,
            "recipient": self.to,
            "certificate_id": self.peer.certificate_id,
        }
        return protocol.write_message(
            self.type, self.message_id, self.body, sent_at=self.sent_at, key=key or self.peer.key, **values | changes
        )

    def url(self) -> str:
        return f"{settings.PUBLIC_URL}/v/{self.to.vault_id}/peering/{self.type}"

    def envelope(self, **changes: Any) -> dict[str, str]:
        values: dict[str, Any] = {
            "certificate_id": self.peer.certificate_id,
            "execution_id": uuid4(),
            "sent_at": self.sent_at,
            "request_id": self.message_id,
            "request_type": REQUEST_TYPE,
            "url": self.url(),
            "vault_id": self.peer.vault_id,
        }
        return Envelope(**values | changes).headers()

    def headers(
        self, raw: bytes | None = None, *, key: rsa.RSAPrivateKey | None = None, **changes: Any
    ) -> dict[str, str]:
        envelope = self.envelope(**changes)
        url = changes.get("url", self.url())
        return envelope | sign(envelope, self.raw() if raw is None else raw, url=url, key=key or self.peer.key)


def post(client, letter, *, raw=None, headers=None, path=None):
    raw = letter.raw() if raw is None else raw
    return client.generic(
        "POST",
        path or letter.url().removeprefix(settings.PUBLIC_URL),
        raw,
        content_type="application/json",
        headers=letter.headers(raw) if headers is None else headers,
    )
