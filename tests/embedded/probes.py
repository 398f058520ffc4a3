"""What the tests of the embedded servers ask them, as a client would."""

import subprocess
import sys
from pathlib import Path

import psycopg
import redis

from vaultadmin.embedded import database_settings, embedded_pids, redis_url

ROOT = Path(__file__).resolve().parents[2]


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


def start_and_be_killed(data_dir: Path, *, tied: bool) -> None:
    """Start the servers from a process that is then killed with SIGKILL, after they have stored one table."""
    script = (
        "import sys, time; from vaultadmin.embedded import Services;"
        f"Services(sys.argv[1], tied={tied}).start(); print('up', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(data_dir)], cwd=ROOT, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        query(data_dir, "CREATE TABLE kept AS SELECT 42 AS answer")
        owner.kill()
