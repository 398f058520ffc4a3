"""The last moments something limited was tried, kept in the database: caches are per process here."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class AttemptWindow(models.Model):
    """Moments of recent attempts under one key. Only `vaultadmin.accounts.limits` reads or writes it."""

    key = models.CharField(max_length=160, primary_key=True)
    stamps = ArrayField(models.DateTimeField())

    def __str__(self) -> str:
        return self.key
