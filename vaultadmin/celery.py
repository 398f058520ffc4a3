"""The Celery application. Celery carries nudges and ticks; what is due stands in rows (architecture decision 4)."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultadmin.settings")

app = Celery("vaultadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def use_django_logging(**_kwargs: object) -> None:
    """Keep Celery from replacing the log set-up, which holds the redaction step."""
    import logging.config

    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)
