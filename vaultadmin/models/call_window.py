"""How often a machine interface was called in the present window, kept in the database: caches are per process."""

from __future__ import annotations

from django.db import models


class CallWindow(models.Model):
    """Calls under one key since the window began. Only `vaultadmin.rest.pace` reads or writes it."""

    key = models.CharField(max_length=160, primary_key=True)
    began_at = models.DateTimeField()
    calls = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["began_at"], name="call_window_by_age")]

    def __str__(self) -> str:
        return self.key
