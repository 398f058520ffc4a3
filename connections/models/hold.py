"""Holds: people keep messages from leaving, with a reason, until somebody lets them go again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can


class HoldQuerySet(models.QuerySet["Hold"]):
    """Rows of holds."""

    def visible_to(self, member: Membership) -> HoldQuerySet:
        """Those that keep messages of the member's vault: its own, and those of the whole installation."""
        if not (can(member, Permission.MESSAGES_OPERATE) or can(member, Permission.SPARK_QUEUES)):
            return self.none()
        return self.filter(Q(connection__vault=member.vault_id) | Q(connection__isnull=True))

    def in_force(self) -> HoldQuerySet:
        """Those nobody released yet."""
        return self.filter(released_at__isnull=True)


class Hold(models.Model):
    """Nothing leaves through a connection, one queue of it, or (with neither) this installation while it is in force.

    What is held stays in its queue, and the time does not count into the retry window (veeva-core 6.5). `vault` is
    where the person who holds acts: of an installation's hold, whose operators release it.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    connection = models.ForeignKey("connections.Connection", models.CASCADE, null=True, related_name="holds")
    queue = models.ForeignKey("connections.Queue", models.CASCADE, null=True, related_name="holds")
    reason = models.CharField(max_length=500)
    held_by = models.CharField(max_length=255)
    since = models.DateTimeField()
    released_by = models.CharField(max_length=255, blank=True)
    released_at = models.DateTimeField(null=True)

    # Set by whoever shows it: the holder as people of that vault are told.
    who: str

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "queue"],
                condition=Q(released_at__isnull=True),
                nulls_distinct=False,
                name="hold_once_per_place",
            ),
            models.CheckConstraint(
                condition=Q(queue__isnull=True) | Q(connection__isnull=False), name="hold_of_a_queue_names_connection"
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, released_by="")
                | (Q(released_at__isnull=False) & ~Q(released_by="")),
                name="hold_release_is_whole",
            ),
        ]

    def __str__(self) -> str:
        if self.connection is None:
            return "Everything in this installation"
        return f"{self.connection} in {self.queue}" if self.queue is not None else str(self.connection)

    def holder(self, vault_id: int) -> str:
        """Who holds, as people of a vault are told: who belongs to another vault is not named there."""
        return "somebody in another Vault" if self.vault_id != vault_id else self.held_by.partition(" <")[0]

    @property
    def is_everywhere(self) -> bool:
        """Does it hold every vault of the installation?"""
        return self.connection_id is None
