"""Faults a development installation can be told to have."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now

from ecoa.contract import IDENTIFIER_MAX

HOLD_MAX_SECONDS = 120.0
SHARE_MAX = 100.0


class FaultsRefused(Exception):
    """This installation has no faults: it is in production, or its operator wants none."""


class FaultCall(models.TextChoices):
    DISCOVER = "discover", "Discover Study Site"
    AUTHORIZE = "authorize", "Authorize External"
    GET = "get", "Get Participant"
    POST = "post", "Create or Update Participant"


class FaultKind(models.TextChoices):
    """What happens, and whether the work of the call is done: the difference a caller cannot see."""

    LATENCY = "latency", "Takes its time before it works (done)"
    ERROR_500 = "error_500", "Fails inside (not done)"
    HTML = "html", "Answers an HTML page (not done)"
    CLOSE = "close", "Ends the connection before any answer body (not done)"
    DROP_REPLY = "drop_reply", "Cuts the reply off (done)"
    HANG = "hang", "Answers late (done)"
    SLOW_BODY = "slow_body", "Drips the answer out (done)"
    RATE_LIMIT = "rate_limit", "Says 429 and when to come again (not done)"
    EXPIRED_TOKEN = "expired_token", "Takes or gives an expired token (not done)"  # nosec B105: a name, not a secret
    WRONG_REGION = "wrong_region", "Names or means another region (not done)"


class Distribution(models.TextChoices):
    """How long a delay is. `hold_seconds` is the fixed value, or the median of a log-normal one."""

    FIXED = "fixed", "Fixed"
    UNIFORM = "uniform", "Uniform between the bounds"
    LOGNORMAL = "lognormal", "Log-normal around the value, within the bounds"


class ServiceFault(models.Model):
    """Calls of one kind in one region go wrong in one way, a share of them, while the schedule holds.

    `region` is `global` for discovery. The prefix applies to participant calls, whose `internalId` it is compared
    with; empty matches every call. `remaining` counts down to the end, None has no end. Each matching call is a draw:
    number and `seed` alone decide whether it is met, so the same seed gives the same sequence.
    """

    region = models.CharField(max_length=16)
    call = models.CharField(max_length=10, choices=FaultCall.choices)
    kind = models.CharField("What happens", max_length=16, choices=FaultKind.choices)
    remaining = models.PositiveIntegerField("Times left", default=1, null=True, blank=True)
    internal_id_prefix = models.CharField(
        "Only internal IDs that begin with", max_length=IDENTIFIER_MAX, blank=True, default=""
    )
    hold_seconds = models.FloatField("Seconds", default=0)
    share = models.FloatField(
        "Share in %",
        default=SHARE_MAX,
        db_default=SHARE_MAX,
        validators=[MinValueValidator(0), MaxValueValidator(SHARE_MAX)],
    )
    seed = models.BigIntegerField(default=0, db_default=0)
    distribution = models.CharField(
        max_length=10, choices=Distribution.choices, default=Distribution.FIXED, db_default=Distribution.FIXED
    )
    least_seconds = models.FloatField("At least", default=0, db_default=0)
    most_seconds = models.FloatField("At most", default=HOLD_MAX_SECONDS, db_default=HOLD_MAX_SECONDS)
    spread = models.FloatField(default=0.5, db_default=0.5)
    is_on = models.BooleanField("On", default=True, db_default=True)
    starts_at = models.DateTimeField("From", null=True, blank=True)
    ends_at = models.DateTimeField("Until", null=True, blank=True)
    cycle_seconds = models.PositiveIntegerField("In every … seconds", null=True, blank=True)
    active_seconds = models.PositiveIntegerField("only the first … seconds", null=True, blank=True)
    scenario = models.CharField(max_length=32, blank=True, default="", db_default="")
    drawn = models.BigIntegerField("Calls seen", default=0, db_default=0)
    injected = models.BigIntegerField("Injected", default=0, db_default=0)
    injected_at = models.DateTimeField("Last injected", null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            # The question of every call in a development installation: is anything armed at all?
            models.Index(fields=["region", "call"], condition=models.Q(is_on=True), name="ecoa_service_fault_on")
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(share__gte=0, share__lte=SHARE_MAX), name="ecoa_service_fault_share"
            ),
            models.CheckConstraint(
                condition=models.Q(cycle_seconds__isnull=True) | models.Q(cycle_seconds__gt=0),
                name="ecoa_service_fault_cycle",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_call_display()} in {self.region}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written where faults are possible only; elsewhere not even a shell makes one."""
        ensure_possible()
        super().save(*args, **kwargs)


def why_impossible() -> str:
    """Why this installation can have no faults, in one sentence; empty when it can."""
    if settings.PRODUCTION:
        return "This is a production installation: its eCOA service answers truthfully, always."
    if not settings.ECOA_FAULTS:
        return "The operator switched faults off for this installation (VAULTADMIN_ECOA_FAULTS=0)."
    return ""


def ensure_possible() -> None:
    """Raise FaultsRefused where faults are impossible."""
    reason = why_impossible()
    if reason:
        raise FaultsRefused(f"Faults cannot be armed. {reason}")
