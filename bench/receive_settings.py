"""The least Django needs for the two views beside the receiver: the product's database settings and no middleware."""

import os

from vaultadmin.settings import DATABASES as DATABASES

# Checked and mapped, without a database; the same, and each record stored the way Django's own manual shows.
MAP, ORM = "/map", "/orm"
CERTIFICATE_VARIABLE, URL_VARIABLE = "BENCH_CERTIFICATE", "BENCH_URL"
TABLE = "bench_received"
CREATE_TABLE = (
    f"CREATE TABLE {TABLE} (id bigserial PRIMARY KEY, record varchar(100) NOT NULL UNIQUE, message uuid NOT NULL,"
    " object varchar(100) NOT NULL, event varchar(100) NOT NULL)"
)

ROOT_URLCONF = "bench.receive_view"
ALLOWED_HOSTS = ["localhost"]
SECRET_KEY = os.urandom(32).hex()
INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []
USE_TZ = True
