"""Addresses of the two engines, for Django, Celery and redis-py.

An address given in the environment always wins; only without one the embedded server of the data folder is meant.
"""

import os
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from vaultadmin.embedded.errors import EmbeddedError
from vaultadmin.embedded.folders import kept_secret
from vaultadmin.embedded.paths import POSTGRES_PORT, paths

DATABASE = "vaultadmin"
ROLE = "vaultadmin"
BROKER_NUMBER = 0
CACHE_NUMBER = 1


def database_settings(data_dir: str | os.PathLike[str]) -> dict[str, Any]:
    """Return DATABASES["default"]. VAULTADMIN_DATABASE_NAME points child processes at another database, as tests do."""
    url = os.environ.get("DATABASE_URL", "")
    settings = _database_from_url(url) if url else _embedded_database(data_dir)
    settings["ENGINE"] = "django.db.backends.postgresql"
    settings["NAME"] = os.environ.get("VAULTADMIN_DATABASE_NAME") or settings["NAME"]
    settings["CONN_MAX_AGE"] = 60
    settings["CONN_HEALTH_CHECKS"] = True
    return settings


def broker_url(data_dir: str | os.PathLike[str]) -> str:
    """Return the address Celery takes."""
    url = os.environ.get("REDIS_URL", "")
    if url:
        return _broker_form(url)
    layout = paths(data_dir)
    return f"redis+socket://:{_password(data_dir)}@{quote(str(layout.redis_socket))}?virtual_host={_number('BROKER')}"


def cache_url(data_dir: str | os.PathLike[str]) -> str:
    """Return the address redis-py and Django's Redis cache take."""
    return _client_form(data_dir, number=_number("CACHE"))


def redis_url(data_dir: str | os.PathLike[str]) -> str:
    """Return the broker's database in the form redis-py takes."""
    return _client_form(data_dir, number=_number("BROKER"))


def embeds_database() -> bool:
    """True when no DATABASE_URL is set, so that this installation runs PostgreSQL itself."""
    return not os.environ.get("DATABASE_URL")


def embeds_redis() -> bool:
    """True when no REDIS_URL is set, so that this installation runs Redis itself."""
    return not os.environ.get("REDIS_URL")


def _embedded_database(data_dir: str | os.PathLike[str]) -> dict[str, Any]:
    return {
        "NAME": DATABASE,
        "USER": ROLE,
        "HOST": str(paths(data_dir).postgres_sockets),
        "PORT": str(POSTGRES_PORT),
        "OPTIONS": {"connect_timeout": 10},
    }


def _database_from_url(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise EmbeddedError("DATABASE_URL must look like postgresql://user:password@host:5432/name.")
    options: dict[str, Any] = {"connect_timeout": 10, **dict(parse_qsl(parts.query))}
    return {
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def _client_form(data_dir: str | os.PathLike[str], *, number: str) -> str:
    url = os.environ.get("REDIS_URL", "")
    if not url:
        return f"unix://:{_password(data_dir)}@{quote(str(paths(data_dir).redis_socket))}?db={number}"
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise EmbeddedError("REDIS_URL must start with redis://, rediss:// or unix://.")
    query = [pair for pair in parse_qsl(parts.query) if pair[0] != "db"]
    return urlunsplit(parts._replace(query="&".join(f"{key}={quote(value)}" for key, value in [*query, ("db", number)])))


def _broker_form(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return urlunsplit(parts._replace(scheme="redis+socket", query=f"virtual_host={_number('BROKER')}"))
    if parts.scheme not in {"redis", "rediss"}:
        raise EmbeddedError("REDIS_URL must start with redis://, rediss:// or unix://.")
    return urlunsplit(parts._replace(path=f"/{_number('BROKER')}"))


def _number(use: str) -> str:
    """The Redis database of one use; VAULTADMIN_REDIS_NUMBERS="broker,cache" gives parallel test runs their own."""
    numbers = os.environ.get("VAULTADMIN_REDIS_NUMBERS") or f"{BROKER_NUMBER},{CACHE_NUMBER}"
    broker, _, cache = numbers.partition(",")
    return broker if use == "BROKER" else cache


def _password(data_dir: str | os.PathLike[str]) -> str:
    return kept_secret(paths(data_dir).redis_password)
