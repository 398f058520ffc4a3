"""Who answered: what a person wants to see of the server's certificate."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Peer:
    """The certificate that was accepted for the host, and how the connection is protected."""

    subject: str
    names: tuple[str, ...]
    """The host names the certificate is for."""
    issuer: str
    valid_until: datetime
    tls_version: str

    @classmethod
    def of(cls, sock: ssl.SSLSocket) -> Self:
        """The other end of an open connection."""
        certificate: dict[str, Any] = sock.getpeercert() or {}
        return cls(
            subject=_written(certificate.get("subject", ())),
            names=tuple(value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"),
            issuer=_written(certificate.get("issuer", ())),
            valid_until=datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC),
            tls_version=(sock.version() or "").replace("TLSv", "TLS "),
        )


def _written(name: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    """A distinguished name as people read it: the common name, or all its parts when it has none."""
    parts = [pair for group in name for pair in group]
    common = [value for kind, value in parts if kind == "commonName"]
    return common[-1] if common else ", ".join(value for _, value in parts)
