"""Real PostgreSQL and real Redis inside the data folder, when no address of others is configured.

Plain Python: importable before Django has settings. Nothing here knows a model.
"""

from vaultadmin.embedded.addresses import (
    broker_url,
    cache_url,
    database_settings,
    embeds_database,
    embeds_redis,
    redis_url,
)
from vaultadmin.embedded.errors import EmbeddedError
from vaultadmin.embedded.paths import Paths, paths

__all__ = [
    "EmbeddedError",
    "Paths",
    "broker_url",
    "cache_url",
    "database_settings",
    "embeds_database",
    "embeds_redis",
    "paths",
    "redis_url",
]
