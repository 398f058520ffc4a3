"""The installation's signing certificates and how far each has come (veeva-core section 11)."""

from __future__ import annotations

from datetime import datetime

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import Value
from django_fsm import FSMField, transition

from connections.constants import CertificateStage

PUBLISHED = CertificateStage.PUBLISHED
TEST = CertificateStage.TEST
ROLLOVER = CertificateStage.ROLLOVER
ACTIVE = CertificateStage.ACTIVE
RETIRED = CertificateStage.RETIRED
INCOMING = (PUBLISHED, TEST, ROLLOVER)

five_digits = RegexValidator(r"\A[0-9]{5}\Z", "A certificate ID has five digits.")


class SigningCertificate(models.Model):
    """A key pair that signs for every vault here; its private half is sealed by `vaultadmin.secrets`.

    At most one is in force alone (Active) and at most one is on its way to replace it. The dates of the stages ahead
    are plans; the date of a stage that has begun is when it really began. A retired certificate stays downloadable,
    so that old messages can be verified again; its private key goes once nothing can need it any more.
    """

    certificate_id = models.CharField("Certificate ID", max_length=5, unique=True, validators=[five_digits])
    pem = models.TextField()
    fingerprint = models.CharField("Fingerprint", max_length=64, unique=True)
    private_key = models.OneToOneField("vaultadmin.Secret", models.PROTECT, null=True, related_name="+")
    not_before = models.DateTimeField("Valid from")
    not_after = models.DateTimeField("Valid until")
    created_at = models.DateTimeField()
    stage = FSMField("Stage", choices=CertificateStage.choices, max_length=16, protected=True)
    published_at = models.DateTimeField("Published")
    test_at = models.DateTimeField("Test begins")
    release_at = models.DateTimeField("Rollover begins")
    final_at = models.DateTimeField("Rollover ends")
    retired_at = models.DateTimeField("Retired", null=True)
    retired_reason = models.CharField("Why retired", max_length=255, blank=True)

    class Meta:
        ordering = ["certificate_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(certificate_id__regex=r"^[0-9]{5}$"), name="certificate_id_has_five_digits"
            ),
            models.CheckConstraint(
                condition=Q(not_before__lt=F("not_after")), name="certificate_begins_before_it_ends"
            ),
            models.UniqueConstraint(fields=["stage"], condition=Q(stage=ACTIVE), name="certificate_one_active"),
            models.UniqueConstraint(Value(1), condition=Q(stage__in=INCOMING), name="certificate_one_on_its_way"),
            models.CheckConstraint(
                condition=Q(
                    published_at__lte=F("test_at"), test_at__lte=F("release_at"), release_at__lte=F("final_at")
                ),
                name="certificate_stages_in_order",
            ),
            models.CheckConstraint(
                condition=(Q(stage=RETIRED, retired_at__isnull=False) & ~Q(retired_reason=""))
                | (~Q(stage=RETIRED) & Q(retired_at__isnull=True, retired_reason="")),
                name="certificate_retirement_has_a_time_and_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(stage=RETIRED) | Q(private_key__isnull=False), name="certificate_in_use_has_its_key"
            ),
        ]

    def __str__(self) -> str:
        return f"Signing certificate {self.certificate_id}"

    def is_valid(self, now: datetime) -> bool:
        """Is this moment within the time the certificate itself names?"""
        return self.not_before <= now < self.not_after

    @transition(stage, source=PUBLISHED, target=TEST)
    def begin_test(self) -> None:
        """Sandbox vaults may sign with it from here on."""

    @transition(stage, source=[PUBLISHED, TEST], target=ROLLOVER)
    def release(self) -> None:
        """Connections sign with it; an administrator may go back to the previous one."""

    @transition(stage, source=ROLLOVER, target=ACTIVE)
    def finish(self) -> None:
        """It is the only one."""

    @transition(stage, source=ACTIVE, target=RETIRED)
    def retire(self) -> None:
        """Nothing is signed with it any more."""
