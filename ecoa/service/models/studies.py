"""Studies, their sites, and which system may reach which study."""

from django.db import models

from ecoa.contract import IDENTIFIER_MAX
from ecoa.service.models.systems import OwnedQuerySet, ServiceSystem


class StudyQuerySet(OwnedQuerySet["ServiceStudy"]):
    """Studies as people may see them."""


class ServiceStudy(models.Model):
    """A study. Callers may name it by the sponsor's id or by ours. `vault`: whose people look after it."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="service_studies", null=True, blank=True)
    external_id = models.CharField("Study ID", max_length=IDENTIFIER_MAX, unique=True)
    internal_id = models.CharField("MyVeeva study ID", max_length=IDENTIFIER_MAX, unique=True)
    integration_enabled = models.BooleanField("Integration enabled", default=True)

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "service studies"

    def __str__(self) -> str:
        return self.external_id


class MappingState(models.TextChoices):
    ENABLED = "enabled", "Enabled"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ServiceStudyMapping(models.Model):
    """A system may reach a study. Withdrawn is not the same as never mapped: the caller is told (IC-0003)."""

    system = models.ForeignKey(ServiceSystem, models.CASCADE, related_name="mappings")
    study = models.ForeignKey(ServiceStudy, models.CASCADE, related_name="mappings")
    state = models.CharField(max_length=10, choices=MappingState.choices, default=MappingState.ENABLED)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "study"], name="ecoa_service_mapping_once")]

    def __str__(self) -> str:
        return f"{self.system} → {self.study}"


class ServiceSite(models.Model):
    """A site of a study, known by its number in the study or by our own id.

    `region` is the code of the store that holds its participants. It may name a region this installation does not
    have: such a site is known and cannot be served (IC-0001).
    """

    study = models.ForeignKey(ServiceStudy, models.CASCADE, related_name="sites")
    number = models.CharField(max_length=IDENTIFIER_MAX)
    internal_id = models.CharField(max_length=IDENTIFIER_MAX, unique=True)
    region = models.CharField(max_length=16)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="ecoa_service_site_once")]

    def __str__(self) -> str:
        return f"{self.study} / {self.number}"
