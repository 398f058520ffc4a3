"""Real PostgreSQL and real Redis inside the data folder, when no address of others is configured.

Plain Python: importable before Django has settings. Nothing here knows a model.
"""

from vaultadmin.embedded.addresses import (
    broker_url,
    database_settings,
    embeds_database,
    embeds_redis,
    redis_url,
)
from vaultadmin.embedded.errors import EmbeddedError
from vaultadmin.embedded.paths import Paths, paths
from vaultadmin.embedded.services import Services, embedded_pids, is_running, only_supervisor, services

__all__ = [
    "EmbeddedError",
    "Paths",
    "Services",
    "broker_url",
    "database_settings",
    "embedded_pids",
    "embeds_database",
    "embeds_redis",
    "is_running",
    "only_supervisor",
    "paths",
    "redis_url",
    "services",
]
