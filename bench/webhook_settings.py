"""The least Django needs for the peer that sends webhooks: the product's database and broker, and nothing else."""

import os

from vaultadmin.settings import CELERY_BROKER_URL as CELERY_BROKER_URL
from vaultadmin.settings import DATABASES as DATABASES

# The environment names the file of the authority its sessions trust.
TRUSTED = "BENCH_TRUSTED"
QUEUE, TASK = "webhooks", "bench.fire_webhook"
WEBHOOKS, EVENTS = "bench_webhook", "bench_webhookevent"
CREATE_TABLES = (
    f"CREATE TABLE IF NOT EXISTS {WEBHOOKS} (id bigserial PRIMARY KEY, url varchar(200) NOT NULL,"
    " secret varchar(100) NOT NULL, active boolean NOT NULL)",
    f"CREATE TABLE IF NOT EXISTS {EVENTS} (id bigserial PRIMARY KEY, webhook_id bigint NOT NULL REFERENCES {WEBHOOKS},"
    " object jsonb NOT NULL, topic varchar(250) NOT NULL, url varchar(200) NOT NULL, status varchar(40) NOT NULL,"
    " created timestamptz NOT NULL)",
)

SECRET_KEY = os.urandom(32).hex()
INSTALLED_APPS: list[str] = []
USE_TZ = True
# A line of its worker once it is ready, none for each task.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {name: {"level": "WARNING"} for name in ("celery.app.trace", "celery.worker.strategy")},
}
