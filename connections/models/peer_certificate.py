"""Certificates between two vaults: those a peer told us of, and those of ours it was told of."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from connections.models.certificate import five_digits


class PeerCertificate(models.Model):
    """A certificate that messages of one binding's peer may be signed with, besides the one its file pinned.

    The peer announced it in a message signed with a certificate that was pinned already. A retired one stays as a
    row: its id is never believed again.
    """

    binding = models.ForeignKey("connections.Binding", models.CASCADE, related_name="peer_certificates")
    certificate_id = models.CharField("Certificate ID", max_length=5, validators=[five_digits])
    pem = models.TextField()
    fingerprint = models.CharField("Fingerprint", max_length=64)
    not_before = models.DateTimeField("Valid from")
    not_after = models.DateTimeField("Valid until")
    in_use_from = models.DateTimeField("In use from")
    added_at = models.DateTimeField("Added")
    retired_at = models.DateTimeField("Retired", null=True)

    class Meta:
        ordering = ["added_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["binding", "certificate_id"], name="peer_certificate_id_once_per_binding"),
            models.UniqueConstraint(fields=["binding", "fingerprint"], name="peer_certificate_once_per_binding"),
            models.CheckConstraint(
                condition=Q(certificate_id__regex=r"^[0-9]{5}$"), name="peer_certificate_id_has_five_digits"
            ),
            models.CheckConstraint(
                condition=Q(not_before__lt=F("not_after")), name="peer_certificate_begins_before_it_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"Certificate {self.certificate_id} of the peer"


class CertificateAnnouncement(models.Model):
    """One thing a binding's peer was told about our certificates: a new one, or that it is the only one left.

    The message itself is an outgoing row, sent until it is answered; here stands what the answer was, because what
    the peer is known to hold decides which key signs for it.
    """

    binding = models.ForeignKey("connections.Binding", models.CASCADE, related_name="announcements")
    certificate = models.ForeignKey("connections.SigningCertificate", models.PROTECT, related_name="announcements")
    retires = models.ForeignKey("connections.SigningCertificate", models.PROTECT, null=True, related_name="+")
    message_id = models.UUIDField(unique=True, editable=False)
    posted_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    accepted = models.BooleanField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["binding", "certificate"],
                condition=Q(retires__isnull=True),
                name="announcement_once_per_certificate",
            ),
            models.UniqueConstraint(
                fields=["binding", "certificate", "retires"],
                condition=Q(retires__isnull=False),
                name="announcement_once_per_retirement",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, accepted__isnull=True)
                | Q(answered_at__isnull=False, accepted__isnull=False),
                name="announcement_answer_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(retires__isnull=True) | ~Q(retires=F("certificate")),
                name="announcement_retires_another_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.certificate} for {self.binding}"
