"""Signs of life of workers and beat, read by the status page and the banner."""

from django.db import models


class Heartbeat(models.Model):
    """When something last proved that it works: `beat`, or `queue:<name>` written by a task that ran on that queue."""

    name = models.CharField(max_length=64, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
