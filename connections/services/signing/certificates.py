"""Signing certificates: the installation's first one, the current one, and parsed keys (veeva-core section 11)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.db import transaction

from connections import conf, signed_json
from connections.constants import CertificateStage
from connections.models import SigningCertificate
from connections.services.refusals import Refused
from vaultadmin import audit, secrets
from vaultadmin.models import Installation

SET_UP = audit.System("Set-up")
PURPOSE = "signing certificate"
RULING = (CertificateStage.ROLLOVER, CertificateStage.ACTIVE)
AUDITED = ["certificate_id", "stage", "fingerprint", "not_before", "not_after", "test_at", "release_at", "final_at"]


class NoSigningCertificate(Refused):
    """Set-up has not made the first certificate yet, so nothing that is signed with one can be made."""

    def __init__(self) -> None:
        super().__init__(
            "This installation has no signing certificate yet. Ask its operator to run “manage.py setup”, "
            "then try again."
        )


class KeyGone(Exception):
    """The certificate retired long ago; nothing can be signed with it any more."""


@dataclass(frozen=True)
class Stages:
    """Where a new certificate begins and when it moves on."""

    stage: CertificateStage
    published_at: datetime
    test_at: datetime
    release_at: datetime
    final_at: datetime


def ensure_first_certificate(*, now: datetime) -> SigningCertificate:
    """Create certificate 00001 unless there is one. Safe to call twice, also at once."""
    with transaction.atomic():
        # One row everybody meets at: two set-ups in parallel make one certificate.
        installation = Installation.objects.select_for_update().get(pk=Installation.current().pk)
        existing = SigningCertificate.objects.order_by("certificate_id").last()
        if existing is not None:
            return existing
        first = Stages(CertificateStage.ACTIVE, published_at=now, test_at=now, release_at=now, final_at=now)
        return issue("00001", key=new_key(), name=installation.name, stages=first, now=now)


def current() -> SigningCertificate:
    """The certificate connections sign with unless a person chose: the one rolling over, else the active one."""
    ruling = SigningCertificate.objects.filter(stage__in=RULING).order_by("-certificate_id").first()
    if ruling is None:
        raise NoSigningCertificate
    return ruling


def is_ours(certificate_id: str, pem: str) -> bool:
    """Is this exactly one of the installation's own certificates?"""
    return SigningCertificate.objects.filter(certificate_id=certificate_id, pem=pem).exists()


def private_key(certificate: SigningCertificate) -> rsa.RSAPrivateKey:
    """The parsed private key. Parsing costs more than a hundred signatures, so each process does it once a key."""
    return _parsed_key(certificate.pk, certificate.fingerprint)


def new_key() -> rsa.RSAPrivateKey:
    """A fresh key of the size the settings ask for."""
    return rsa.generate_private_key(public_exponent=65537, key_size=conf.signing_key_bits())


def issue(
    certificate_id: str,
    *,
    key: rsa.RSAPrivateKey,
    name: str,
    stages: Stages,
    now: datetime,
    by: audit.Actor = SET_UP,
) -> SigningCertificate:
    """Make a self-signed certificate over a key and seal the private half, inside the caller's transaction."""
    signed = _self_signed(key, name, now)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")
    certificate = SigningCertificate.objects.create(
        certificate_id=certificate_id,
        pem=signed_json.certificate_pem(signed),
        fingerprint=signed_json.fingerprint(signed),
        private_key=secrets.store(vault=None, purpose=PURPOSE, value=pem, by=by),
        not_before=signed.not_valid_before_utc,
        not_after=signed.not_valid_after_utc,
        created_at=now,
        **asdict(stages),
    )
    changes = audit.created(certificate, AUDITED)
    audit.record(vault=None, by=by, event="certificate.issued", subject=certificate, changes=changes)
    return certificate


@lru_cache(maxsize=8)
def _parsed_key(pk: int, fingerprint: str) -> rsa.RSAPrivateKey:
    """Keyed by the fingerprint: another certificate never meets this key, whatever row id it has."""
    certificate = SigningCertificate.objects.select_related("private_key").get(pk=pk, fingerprint=fingerprint)
    if certificate.private_key is None:
        raise KeyGone(f"The private key of {certificate} was destroyed after its retirement.")
    pem = secrets.reveal(certificate.private_key)
    key = serialization.load_pem_private_key(pem.encode("ascii"), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("A signing key is an RSA key.")
    return key


def _self_signed(key: rsa.RSAPrivateKey, name: str, now: datetime) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + conf.certificate_lifetime())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    return builder.sign(key, hashes.SHA256())
