"""Who lends their approvals to whom, and for which days."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.fields import BigIntegerField

LONGEST_DAYS = 366


def day_of(now: datetime) -> date:
    """The day delegations are counted in: of UTC, as every time here."""
    return now.astimezone(UTC).date()


class DelegationQuerySet(models.QuerySet["Delegation"]):
    """Delegation rows."""

    def in_force(self, now: datetime) -> DelegationQuerySet:
        """Those that count at this moment."""
        today = day_of(now)
        return self.filter(ended_at__isnull=True, starts__lte=today, ends__gte=today)


class Delegation(models.Model):
    """A member lends their approvals to another one of the same vault, from one day (UTC) to another, both included.

    It gives nobody a right: the receiver decides what is assigned to the giver, and only what they might decide if it
    were assigned to them. It stays as a record after it is over.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="delegations")
    from_member = models.ForeignKey("vaultadmin.Membership", models.PROTECT, "given", verbose_name="From")
    to_member = models.ForeignKey("vaultadmin.Membership", models.PROTECT, "received", verbose_name="To")
    starts = models.DateField("First day")
    ends = models.DateField("Last day")
    created_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, "+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField("Ended early", null=True)
    ended_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, "+", null=True)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering = ["-starts", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(ends__gte=F("starts")), name="delegation_ends_after_it_starts"),
            models.CheckConstraint(condition=~Q(from_member=F("to_member")), name="delegation_to_somebody_else"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="delegation_ended_by_somebody",
            ),
            # A range of one number stands for the giver, because plain numbers need an extension to be compared here.
            ExclusionConstraint(
                name="delegation_one_at_a_time",
                expressions=[
                    (
                        Func(
                            F("from_member"),
                            F("from_member"),
                            Value("[]"),
                            function="int8range",
                            output_field=BigIntegerField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(F("starts"), F("ends"), Value("[]"), function="daterange", output_field=DateRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(ended_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["to_member", "ends"], name="delegation_received", condition=Q(ended_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.from_member} to {self.to_member}, {self.starts} to {self.ends}"

    def status(self, now: datetime) -> tuple[str, str]:
        """Its state at a moment, as a name and as the word people read."""
        today = day_of(now)
        if self.ended_at is not None:
            return "ended", "Ended early"
        if today > self.ends:
            return "over", "Over"
        return ("in_force", "In force") if today >= self.starts else ("planned", "Planned")
