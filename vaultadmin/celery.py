"""The Celery application. Celery carries nudges and ticks; what is due stands in rows (architecture decision 4)."""

import gc
import os

from celery import Celery
from celery.signals import setup_logging, worker_process_init
from kombu.transport.virtual import QoS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultadmin.settings")

app = Celery("vaultadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A worker that loses Redis, or ends, puts no nudge back into its queue: what is due stands in rows, and ticks find it.
QoS.restore_at_shutdown = False


@setup_logging.connect
def use_django_logging(**_kwargs: object) -> None:
    """Keep Celery from replacing the log set-up, which holds the redaction step."""
    import logging.config

    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_process_init.connect
def keep_what_is_loaded(**_kwargs: object) -> None:
    """What a worker has loaded stays until it ends: going through it again at each collection of cycles took a third
    of the time of whoever works off thousands of rows."""
    gc.collect()
    gc.freeze()
