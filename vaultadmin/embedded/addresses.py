"""Addresses of the embedded servers, for Django, Celery and redis-py. Pure but for the password, made on first use."""

import os
from typing import Any
from urllib.parse import quote

from vaultadmin.embedded.folders import kept_secret
from vaultadmin.embedded.paths import POSTGRES_PORT, paths

DATABASE = "vaultadmin"
ROLE = "vaultadmin"


def database_settings(data_dir: str | os.PathLike[str]) -> dict[str, Any]:
    """Return DATABASES["default"] for the embedded PostgreSQL."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE,
        "USER": ROLE,
        "HOST": str(paths(data_dir).postgres_sockets),
        "PORT": str(POSTGRES_PORT),
        "OPTIONS": {"connect_timeout": 10},
    }


def broker_url(data_dir: str | os.PathLike[str]) -> str:
    """Return the address of the embedded Redis in the form Celery takes."""
    return f"redis+socket://{_location(data_dir)}?virtual_host={_number()}"


def redis_url(data_dir: str | os.PathLike[str]) -> str:
    """Return the same address in the form redis-py takes."""
    return f"unix://{_location(data_dir)}?db={_number()}"


def embeds_database() -> bool:
    """True when no DATABASE_URL is set, so that this installation runs PostgreSQL itself."""
    return not os.environ.get("DATABASE_URL")


def embeds_redis() -> bool:
    """True when no REDIS_URL is set, so that this installation runs Redis itself."""
    return not os.environ.get("REDIS_URL")


def _location(data_dir: str | os.PathLike[str]) -> str:
    layout = paths(data_dir)
    return f":{kept_secret(layout.redis_password)}@{quote(str(layout.redis_socket))}"


def _number() -> int:
    """VAULTADMIN_REDIS_DATABASE keeps installations and parallel test runs apart that share one server."""
    return int(os.environ.get("VAULTADMIN_REDIS_DATABASE") or 0)
