"""Tokens as the service writes them, and as others would like it to believe."""

import base64
import hmac
import json

from ecoa.service import tokens
from tests.ecoa.service.caller import SYSTEM, TENANT
from vaultadmin import clock


def claims(**changes):
    now = int(clock.now().timestamp())
    good = {
        "sub": SYSTEM,
        "tenant": TENANT,
        "region": "us",
        "aud": tokens.AUDIENCE,
        "sv": 1,
        "iat": now,
        "exp": now + 3600,
    }
    return {key: value for key, value in (good | changes).items() if value is not ...}


def key(settings):
    return tokens._derive(settings.SECRET_KEY)


def part(value):
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(payload, secret, **headers):
    text = f"{part({'alg': 'HS256', 'typ': 'JWT'} | headers)}.{part(payload)}"
    return f"{text}.{part(hmac.digest(secret, text.encode(), 'sha256'))}"
