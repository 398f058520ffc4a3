"""The environment variables of interfaces.md section 1, read once and typed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent


def text(name: str, default: str = "") -> str:
    """A variable as text, without surrounding blanks."""
    return os.environ.get(name, default).strip()


def flag(name: str, *, default: bool = False) -> bool:
    """True for `1`, `true`, `yes` and `on`; an empty or missing variable is the default."""
    value = text(name).lower()
    return value in {"1", "true", "yes", "on"} if value else default


def items(name: str) -> list[str]:
    """A comma-separated variable as a list without empty parts."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def number(name: str, default: int) -> int:
    """A whole number above zero."""
    return _number(name, text(name, str(default)))


def numbers(name: str, default: tuple[int, ...]) -> tuple[int, ...]:
    """Whole numbers above zero, comma-separated."""
    return tuple(_number(name, part) for part in items(name)) or default


def _number(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 1_000_000:
        raise ImproperlyConfigured(f"{name} must be a whole number above zero, not {value!r}.")
    return int(value)


def port() -> int:
    """The web server's port; TLS takes the next one, so both must be ports."""
    value = text("PORT", "8000")
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 65_535:
        raise ImproperlyConfigured(f"PORT must be a number from 1 to 65534, not {value!r}.")
    return int(value)


def data_dir() -> Path:
    """The data folder; a relative one counts from the project root, wherever the command was started."""
    return (ROOT / text("VAULTADMIN_DATA_DIR", ".data")).resolve()


def file_text(path: Path) -> str:
    """A small file's text, empty when there is no such file."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def development_secret(path: Path, *, production: bool) -> str:
    """The signing key of a development installation, made on first use; production must bring its own."""
    if production:
        raise ImproperlyConfigured("Set VAULTADMIN_SECRET_KEY: a production installation does not invent its own key.")
    if not (found := file_text(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        found = secrets.token_urlsafe(50)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return development_secret(path, production=production)
        with os.fdopen(descriptor, "w") as file:
            file.write(found)
    return found


def openid_origins() -> list[str]:
    """Where the provider's sign-in page lives: the issuer's origin, or VAULTADMIN_OIDC_ORIGINS when it is elsewhere."""
    issuer = urlsplit(text("VAULTADMIN_OIDC_ISSUER"))
    return items("VAULTADMIN_OIDC_ORIGINS") or ([f"{issuer.scheme}://{issuer.netloc}"] if issuer.netloc else [])


def openid_providers() -> dict[str, Any]:
    """One OpenID Connect provider, when VAULTADMIN_OIDC_ISSUER, _CLIENT_ID and _CLIENT_SECRET are set."""
    issuer = text("VAULTADMIN_OIDC_ISSUER")
    if not issuer:
        return {}
    app = {
        "provider_id": "sso",
        "name": text("VAULTADMIN_OIDC_NAME", "Single sign-on"),
        "client_id": text("VAULTADMIN_OIDC_CLIENT_ID"),
        "secret": text("VAULTADMIN_OIDC_CLIENT_SECRET"),
        "settings": {"server_url": issuer},
    }
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
