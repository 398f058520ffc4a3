"""The peer: webhooks as Django projects send them, one Celery task and one row a delivery.

`stock` is Celery as it comes, which closes the database connection around every task; `tuned` keeps it
(`CELERY_DB_REUSE_MAX`).
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

from bench import webhook_settings

# The worker of the peer, not of the product.
os.environ["DJANGO_SETTINGS_MODULE"] = "bench.webhook_settings"


def _application(**options: Any) -> Celery:
    made = Celery("webhook_peer", broker=webhook_settings.CELERY_BROKER_URL, include=["bench.webhook_tasks"])
    made.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True, **options)
    return made


stock = _application()
tuned = _application(CELERY_DB_REUSE_MAX=1_000_000)
