"""The audit trail's two tables. Rows are written by `vaultadmin.audit` only and never change (triggers refuse)."""

from __future__ import annotations

from django.db import models


class AuditHead(models.Model):
    """The newest link of one chain. Locked while a link is added, so that a chain has one order.

    `chain` is the vault's id, or 0 for what belongs to the installation (people, sign-ins).
    """

    chain = models.BigIntegerField(primary_key=True)
    sequence = models.BigIntegerField(default=0)
    hash = models.BinaryField(default=bytes)

    def __str__(self) -> str:
        return f"chain {self.chain} at {self.sequence}"


class AuditEvent(models.Model):
    """One thing somebody did. No foreign keys: the trail outlives what it describes."""

    chain = models.BigIntegerField()
    sequence = models.BigIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=255)
    actor_id = models.CharField(max_length=64, blank=True)
    event = models.CharField(max_length=96)
    subject_type = models.CharField(max_length=64, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    subject_label = models.CharField(max_length=255, blank=True)
    changes = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    source_ip = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    # One of many rows that another row tells as a whole (the participants of an import), or a mere look.
    in_bulk = models.BooleanField(default=False, db_default=False)
    hash = models.BinaryField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["chain", "sequence"], name="audit_one_link_per_place")]
        indexes = [
            models.Index(fields=["chain", "subject_type", "subject_id", "-sequence"], name="audit_subject"),
            models.Index(fields=["chain", "event", "-sequence"], name="audit_event"),
            models.Index(fields=["chain", "actor_id", "-sequence"], name="audit_actor"),
            # A vault's home shows what people did; a million rows of machines and imports must not stand in the way.
            models.Index(
                fields=["chain", "-sequence"],
                condition=~models.Q(actor_id="") & models.Q(in_bulk=False),
                name="audit_deeds",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} by {self.actor}"
