"""vaultadmin: the platform and its composition."""

from vaultadmin.celery import app as celery_app

__all__ = ["celery_app"]
