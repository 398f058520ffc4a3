"""The least Django needs for one view that inserts a row: the product's database settings and no middleware."""

import os

from vaultadmin.settings import DATABASES as DATABASES

CURSOR, ORM = "/insert", "/create"
TABLE = "bench_inserted"
CREATE_TABLE = (
    f"CREATE TABLE {TABLE} (id bigserial PRIMARY KEY, participant_id varchar(255) NOT NULL,"
    " internal_id varchar(255) NOT NULL)"
)

ROOT_URLCONF = "bench.insert_view"
ALLOWED_HOSTS = ["localhost"]
SECRET_KEY = os.urandom(32).hex()
INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []
USE_TZ = True
