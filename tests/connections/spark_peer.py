from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from connections.models import Queue
from connections.spark.envelope import SPARK_MESSAGE, Envelope
from connections.spark.signing import sign
from tests.connections.remote_peer import RemotePeer
from tests.factories.incoming import body_of
from vaultadmin import clock


@dataclass
class SparkLetter:
    """One Spark message of a vault of another installation, to be posted as it is or with something wrong about it."""

    peer: RemotePeer
    queue: Queue
    attributes: dict[str, Any] = field(default_factory=lambda: {"object": "study__v"})
    items: list[str] = field(default_factory=lambda: ["X1"])
    message_id: UUID = field(default_factory=uuid4)
    sent_at: datetime = field(default_factory=clock.now)
    attempt: int = 1

    def raw(self) -> bytes:
        values = {"message_id": self.message_id, "now": self.sent_at, "attempt": self.attempt}
        return body_of(self.attributes, self.items, **values)

    @property
    def path(self) -> str:
        return f"/v/{self.queue.vault_id}/spark/{self.queue.name}"

    @property
    def url(self) -> str:
        return f"{settings.PUBLIC_URL}{self.path}"

    def headers(
        self, raw: bytes | None = None, *, key: rsa.RSAPrivateKey | None = None, **changes: Any
    ) -> dict[str, str]:
        values: dict[str, Any] = {
            "certificate_id": self.peer.certificate_id,
            "execution_id": uuid4(),
            "sent_at": self.sent_at,
            "request_id": self.message_id,
            "request_type": SPARK_MESSAGE,
            "url": self.url,
            "vault_id": self.peer.vault_id,
        } | changes
        envelope = Envelope(**values).headers()
        signed = sign(envelope, self.raw() if raw is None else raw, url=values["url"], key=key or self.peer.key)
        return envelope | signed


def post(client, letter, *, raw=None, headers=None, path=None):
    raw = letter.raw() if raw is None else raw
    return client.generic(
        "POST",
        path or letter.path,
        raw,
        content_type="application/json",
        headers=letter.headers(raw) if headers is None else headers,
    )
