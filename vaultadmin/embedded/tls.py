"""A throw-away certificate for development, so that machines reach the demo over TLS exactly as they reach the world.

The authority's private key is never written down: nobody can sign a second certificate with it, and renewing means a
new authority.
"""

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from vaultadmin.embedded.folders import private_folder, write_private
from vaultadmin.embedded.paths import Paths

# No *.localhost: clients accept a wildcard only below a name of two labels or more.
NAMES = ("ecoa.demo.test", "localhost", "127.0.0.1")
_LIFETIME = datetime.timedelta(days=397)
_RENEW_BEFORE = datetime.timedelta(days=30)


@dataclass(frozen=True)
class TlsFiles:
    """What a server needs, and the authority its clients need."""

    certificate: Path
    key: Path
    authority: Path


def development_tls(layout: Paths, *, now: datetime.datetime) -> TlsFiles:
    """Return the development certificate, made when there is none, near its end, damaged, or for other names."""
    files = TlsFiles(layout.tls / "server.pem", layout.tls / "server.key", layout.ca_certificate)
    if not _usable(files, now=now):
        _issue(files, now=now)
    return files


def _usable(files: TlsFiles, *, now: datetime.datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
        key = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
        certificate.verify_directly_issued_by(authority)
    except (FileNotFoundError, ValueError, TypeError, InvalidSignature):
        return False
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    named = {str(name.value) for name in alternatives}
    fresh = certificate.not_valid_after_utc - now > _RENEW_BEFORE
    return fresh and named >= set(NAMES) and key.public_key() == certificate.public_key()


def _issue(files: TlsFiles, *, now: datetime.datetime) -> None:
    import trustme  # costs a start-up what only the first one needs

    private_folder(files.certificate.parent)
    authority = trustme.CA(organization_name="vaultadmin development")
    leaf = authority.issue_cert(
        *NAMES,
        common_name=NAMES[0],
        organization_name="vaultadmin development",
        not_before=now - datetime.timedelta(days=1),
        not_after=now + _LIFETIME,
    )
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), password=None)
    write_private(files.authority, authority.cert_pem.bytes())
    write_private(files.certificate, b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    # Granian reads PKCS#8 only.
    pkcs8 = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(files.key, pkcs8)
