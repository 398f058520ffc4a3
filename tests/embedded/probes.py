"""What the tests of the embedded servers ask them, as a client would."""

from pathlib import Path

import psycopg
import redis

from vaultadmin.embedded import database_settings, embedded_pids, redis_url


def query(data_dir: Path, statement: str) -> list[tuple[object, ...]]:
    settings = database_settings(data_dir)
    with psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], user=settings["USER"], dbname=settings["NAME"], autocommit=True
    ) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def ping(data_dir: Path) -> bool:
    with redis.Redis.from_url(redis_url(data_dir)) as client:
        return bool(client.ping())


def pids(data_dir: Path) -> dict[str, int | None]:
    return embedded_pids(data_dir)
