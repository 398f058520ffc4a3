"""Which study of ours is which study of eCOA, and by which connection we reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ecoa.contract import DEFAULT_VERSION
from ecoa.models.schedule import Scheduled
from ecoa.timing import SHORTEST_MINUTES
from vaultadmin.permissions import Permission, can

if TYPE_CHECKING:
    from vaultadmin.models import Membership

# These stand in URLs, ours and eCOA's, and in bodies: no control characters, no slash, nothing that is only dots.
IDENTIFIER = RegexValidator(
    r"\A(?!\.+\Z)[^\x00-\x20\x7f-\x9f/\\](?:[^\x00-\x1f\x7f-\x9f/\\]*[^\x00-\x20\x7f-\x9f/\\])?\Z",
    _("Leave out slashes, control characters and blanks at the ends."),
)


class StudyMappingQuerySet(models.QuerySet["StudyMapping"]):
    """Mapping rows as people may see them."""

    def visible_to(self, member: Membership) -> StudyMappingQuerySet:
        """The study team sees every study of the vault; site staff only those of their sites."""
        rows = self.filter(vault=member.vault_id)
        if can(member, Permission.ECOA_STUDY_TEAM):
            return rows
        if can(member, Permission.ECOA_VIEW_SITES):
            return rows.filter(sites__assignments__member=member).distinct()
        return rows.none()


class StudyMapping(Scheduled, models.Model):
    """One study in one vault, sent to eCOA through one External connection."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="study_mappings")
    name = models.CharField(_("name"), max_length=128)
    connection = models.ForeignKey(
        "connections.Connection", models.PROTECT, related_name="study_mappings", verbose_name=_("connection")
    )
    tenant_id = models.CharField(_("tenant ID"), max_length=255, validators=[IDENTIFIER])
    external_study_id = models.CharField(_("study ID"), max_length=255, validators=[IDENTIFIER])
    api_version = models.CharField(
        _("API version"),
        max_length=16,
        default=DEFAULT_VERSION,
        validators=[RegexValidator(r"\Av\d+\.\d\Z", _("Enter a version such as v24.3."))],
    )
    fixed_region = models.CharField(_("fixed region"), max_length=500, blank=True)
    read_back = models.BooleanField(_("read every participant back"), default=False)
    radar_is_on = models.BooleanField(_("read back by itself"), default=True)
    radar_every_hours = models.PositiveSmallIntegerField(
        _("hours between two rounds"), default=24, validators=[MinValueValidator(1), MaxValueValidator(720)]
    )
    radar_calls_per_hour = models.PositiveIntegerField(
        _("calls an hour"), default=3600, validators=[MinValueValidator(10), MaxValueValidator(360_000)]
    )
    is_active = models.BooleanField(_("active"), default=True)
    max_calls = models.SmallIntegerField(
        _("calls at a time"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StudyMappingQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["vault", "name"], name="study_mapping_name_once"),
            models.UniqueConstraint(fields=["vault", "external_study_id"], name="study_mapping_study_once"),
            models.CheckConstraint(
                condition=Q(fixed_region="") | Q(fixed_region__startswith="https://"),
                name="study_mapping_region_https",
            ),
            models.CheckConstraint(
                condition=Q(schedule_minutes__isnull=True) | Q(schedule_minutes__gte=SHORTEST_MINUTES),
                name="study_mapping_interval_sane",
            ),
            models.CheckConstraint(
                condition=Q(max_calls__isnull=True) | Q(max_calls__gte=1), name="study_mapping_calls_positive"
            ),
        ]
        indexes = [
            models.Index(fields=["next_run_at"], condition=Q(next_run_at__isnull=False), name="study_mapping_next_run"),
        ]

    def __str__(self) -> str:
        return self.name
