"""Sign a request: the strings of veeva-core section 6.3, RSA-SHA256, PKCS#1 v1.5, Base64 on one line. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SIGNED_PREFIX = "x-vaultapisignature-"
LEGACY_SIGNATURE = "X-VaultAPI-Signature"
SIGNATURE = "X-VaultAPI-SignatureV2"


@dataclass(frozen=True)
class Signer:
    """A certificate's id and the private key that belongs to it."""

    certificate_id: str
    key: rsa.RSAPrivateKey


def legacy_string(headers: Mapping[str, str], body: bytes) -> bytes:
    """What the first version of the signature covers: the signed headers, sorted, and the body."""
    signed = sorted((name.lower(), value.strip(" \t")) for name, value in headers.items() if is_signed(name))
    return "".join(f"{name}:{value}\n" for name, value in signed).encode() + body


def string_to_verify(headers: Mapping[str, str], body: bytes, url: str) -> bytes:
    """What the second version covers: the same, a line break, and the whole URL with its query."""
    return strings(headers, body, url)[1]


def strings(headers: Mapping[str, str], body: bytes, url: str) -> tuple[bytes, bytes]:
    """What the first and the second version cover, for whoever needs both."""
    legacy = legacy_string(headers, body)
    return legacy, legacy + b"\n" + url.encode()


def is_signed(name: str) -> bool:
    """Is a header of this name part of the signed string? The signatures themselves are not."""
    return name.lower().startswith(SIGNED_PREFIX)


def sign(headers: Mapping[str, str], body: bytes, *, url: str, key: rsa.RSAPrivateKey) -> dict[str, str]:
    """The two signature headers for these exact headers, body bytes and URL."""
    return sign_strings(*strings(headers, body, url), key=key)


def sign_strings(legacy: bytes, whole: bytes, *, key: rsa.RSAPrivateKey) -> dict[str, str]:
    """The two signature headers over strings as `strings` returns them."""
    return {LEGACY_SIGNATURE: _signature(key, legacy), SIGNATURE: _signature(key, whole)}


def _signature(key: rsa.RSAPrivateKey, signed: bytes) -> str:
    return base64.b64encode(key.sign(signed, padding.PKCS1v15(), hashes.SHA256())).decode("ascii")
