"""Whether what a process remembers of the service's configuration still holds."""

from django.db import models


class ServiceRevision(models.Model):
    """One row with a code that database triggers replace whenever systems, studies, sites, mappings or faults change.

    A statement that relies on remembered configuration compares the code it was read with, so it can never act on a
    withdrawn mapping or a replaced secret. A random code, not a counter: a restored database must not repeat one.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    code = models.UUIDField()

    def __str__(self) -> str:
        return str(self.code)
