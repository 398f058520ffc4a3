"""Bearer tokens of the service: minted at authorize, checked on every participant call.

The service reads no token but its own, so everything about one is pinned before anything in it is parsed: length,
alphabet, and the whole header, byte for byte. `none`, another algorithm, a `kid` path or a `jku` are refused there.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from ecoa.service.refusals import Unauthorized
from vaultadmin import clock

ALGORITHM = "HS256"
AUDIENCE = "myveeva"
TOKEN_MAX = 4096
_VERSION_MAX = 2**31
_KEPT_MAX = 1024
_CLAIMS = ["sub", "tenant", "region", "aud", "sv", "iat", "exp"]
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_HEADER = jwt.encode({}, "x" * 32, algorithm=ALGORITHM).split(".")[0]
WRONG = "Your authentication token is wrong"


_verified_before: dict[str, tuple[list[bytes], dict[str, Any]]] = {}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says. Whether the secret version still holds is for the store to say."""

    system: str
    tenant: str
    secret_version: int


def mint(*, system: str, tenant: str, region: str, secret_version: int, now: datetime) -> str:
    """A token for one system, tenant and region, valid for the configured minutes."""
    claims = {
        "sub": system,
        "tenant": tenant,
        "region": region,
        "aud": AUDIENCE,
        "sv": secret_version,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime()).timestamp()),
    }
    return jwt.encode(claims, _keys()[0], algorithm=ALGORITHM)


def lifetime() -> timedelta:
    """How long a token is good for."""
    return timedelta(minutes=settings.ECOA_TOKEN_MINUTES)


def read(authorization: str, *, region: str) -> Claims:
    """The claims of an Authorization header, or Unauthorized; the reason never says which check failed."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or len(token) > TOKEN_MAX or not _SHAPE.fullmatch(token):
        raise Unauthorized(WRONG)
    if not token.startswith(f"{_HEADER}."):
        raise Unauthorized(WRONG)
    claims = _known(token)
    if claims["region"] != region or not isinstance(claims["tenant"], str) or not _is_version(claims["sv"]):
        raise Unauthorized(WRONG)
    return Claims(system=claims["sub"], tenant=claims["tenant"], secret_version=claims["sv"])


def _known(token: str) -> dict[str, Any]:
    """The claims of a token this process has verified before, while it holds; else verified now.

    A token is kept with the keys it was verified under, so that a key taken out of the settings ends it here, too.
    """
    keys = _keys()
    kept = _verified_before.get(token)
    if kept is not None and kept[0] == keys:
        if clock.now().timestamp() >= int(kept[1]["exp"]):
            raise Unauthorized(WRONG)
        return kept[1]
    claims = _verified(token)
    if len(_verified_before) >= _KEPT_MAX:
        _verified_before.clear()
    _verified_before[token] = keys, claims
    return claims


def _is_version(value: Any) -> bool:
    return isinstance(value, int) and 0 < value < _VERSION_MAX


def _verified(token: str) -> dict[str, Any]:
    """The claims as we once wrote them: under the current key, or one settings still accept while keys change."""
    for key in _keys():
        try:
            return jwt.decode(
                token, key, algorithms=[ALGORITHM], audience=AUDIENCE, options={"require": _CLAIMS, "strict_aud": True}
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError as error:
            raise Unauthorized(WRONG) from error
    raise Unauthorized(WRONG)


def _keys() -> list[bytes]:
    return [_derive(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


@lru_cache(maxsize=8)
def _derive(secret: str) -> bytes:
    """A key for this purpose alone, so that nothing else signed with the installation's secret passes as a token."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"ecoa service bearer token v1").derive(secret.encode())
