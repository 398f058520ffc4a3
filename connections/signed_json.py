"""Signed documents: canonical JSON (sorted keys, no spaces, UTF-8) with a SHA256withRSA signature inside. Pure.

Connection files and the messages two vaults exchange are both written and checked here, so there is one place
where bytes turn into trust.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connections.shape import read_base64, write_base64
from vaultadmin.strict_json import StrictJsonError, canonical, loads

MIN_KEY_BITS = 2048
MAX_PEM = 16 * 1024


class DocumentRefused(ValueError):
    """The bytes are no document of ours, or the signature does not fit; one sentence."""


def sign(document: dict[str, Any], private_key: rsa.RSAPrivateKey) -> bytes:
    """The document with its `signature`, as canonical bytes."""
    signature = private_key.sign(canonical(document), padding.PKCS1v15(), hashes.SHA256())
    return canonical({**document, "signature": write_base64(signature)})


def parse(raw: bytes, *, max_bytes: int) -> dict[str, Any]:
    """Strict JSON whose top level is an object, in the canonical writing: one content, one sequence of bytes."""
    try:
        document = loads(raw, max_bytes=max_bytes)
    except StrictJsonError as error:
        raise DocumentRefused(str(error)) from error
    if not isinstance(document, dict):
        raise DocumentRefused("The document is not a JSON object.")
    if canonical(document) != raw:
        raise DocumentRefused("The document is not written in the standard form.")
    return document


def verify(document: dict[str, Any], certificate: x509.Certificate) -> None:
    """Check the `signature` over everything else in the document with the certificate's key."""
    unsigned = {key: value for key, value in document.items() if key != "signature"}
    try:
        signature = read_base64(document.get("signature", ""))
        public_key(certificate).verify(signature, canonical(unsigned), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, TypeError, ValueError) as error:
        raise DocumentRefused("The signature does not fit the content.") from error


@lru_cache(maxsize=1024)
def read_certificate(pem: str) -> x509.Certificate:
    """Exactly one PEM certificate with an RSA key of at least 2048 bits. Parsed once a process: every message asks."""
    if len(pem) > MAX_PEM:
        raise DocumentRefused("The certificate is too long.")
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise DocumentRefused("The certificate cannot be read.") from error
    if certificate_pem(certificate) != pem:
        raise DocumentRefused("The certificate is not written in the standard form.")
    public_key(certificate)
    return certificate


def certificate_pem(certificate: x509.Certificate) -> str:
    """The PEM text of a certificate in its one standard form."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def public_key(certificate: x509.Certificate) -> rsa.RSAPublicKey:
    """The certificate's RSA key, refused when it is of another kind or too short."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise DocumentRefused("The certificate's key cannot be read.") from error
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MIN_KEY_BITS:
        raise DocumentRefused("The certificate needs an RSA key of at least 2048 bits.")
    return key
