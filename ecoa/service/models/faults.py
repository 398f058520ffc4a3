"""Faults a development installation can be told to have."""

from django.db import models

from ecoa.contract import IDENTIFIER_MAX


class FaultCall(models.TextChoices):
    DISCOVER = "discover", "Discover Study Site"
    AUTHORIZE = "authorize", "Authorize External"
    GET = "get", "Get Participant"
    POST = "post", "Create or Update Participant"


class FaultKind(models.TextChoices):
    """What happens, and whether the work of the call is done: the difference a caller cannot see."""

    ERROR_500 = "error_500", "Fails inside (not done)"
    HTML = "html", "Answers an HTML page (not done)"
    CLOSE = "close", "Ends the connection before any answer body (not done)"
    DROP_REPLY = "drop_reply", "Cuts the reply off (done)"
    HANG = "hang", "Answers late (done)"


class ServiceFault(models.Model):
    """The next `remaining` calls that match go wrong in one way.

    `region` is `global` for discovery. The prefix applies to participant calls, whose `internalId` it is compared
    with; empty matches every call. `hold_seconds` is how late a late answer is.
    """

    region = models.CharField(max_length=16)
    call = models.CharField(max_length=10, choices=FaultCall.choices)
    kind = models.CharField(max_length=12, choices=FaultKind.choices)
    remaining = models.PositiveIntegerField(default=1)
    internal_id_prefix = models.CharField(max_length=IDENTIFIER_MAX, blank=True, default="")
    hold_seconds = models.FloatField(default=0)

    class Meta:
        indexes = [
            # The question of every call in a development installation: is anything armed at all?
            models.Index(
                fields=["region", "call"], condition=models.Q(remaining__gt=0), name="ecoa_service_fault_armed"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.call} in {self.region}, {self.remaining} left"
