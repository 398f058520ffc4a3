"""Sites of a study, who of the site staff sees them, and the counters behind their one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from ecoa.models.study_mapping import IDENTIFIER
from vaultadmin.permissions import Permission, can

if TYPE_CHECKING:
    from vaultadmin.models import Membership


class SiteQuerySet(models.QuerySet["Site"]):
    """Site rows as people may see them."""

    def visible_to(self, member: Membership) -> SiteQuerySet:
        """Every site of the vault for the study team; for site staff the assigned ones and nothing else."""
        rows = self.filter(vault=member.vault_id)
        if can(member, Permission.ECOA_STUDY_TEAM):
            return rows
        if can(member, Permission.ECOA_VIEW_SITES):
            return rows.filter(assignments__member=member)
        return rows.none()


class Site(models.Model):
    """One site of one study; `number` is what the study and eCOA call it."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="ecoa_sites")
    mapping = models.ForeignKey("ecoa.StudyMapping", models.PROTECT, related_name="sites", verbose_name=_("study"))
    number = models.CharField(_("site number"), max_length=255, db_collation="C", validators=[IDENTIFIER])
    name = models.CharField(_("name"), max_length=128, blank=True)
    # From this day on nothing is expected of the site (see SiteRhythm).
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    # When a source last said anything about the site, news or not; kept by whoever stores, see ecoa.sync.facts. Not in
    # the tally, whose rows are locked by triggers in an order of their own.
    last_arrival_at = models.DateTimeField(null=True, editable=False)

    objects = SiteQuerySet.as_manager()

    class Meta:
        ordering = ["number", "pk"]
        constraints = [models.UniqueConstraint(fields=["mapping", "number"], name="site_number_once")]

    def __str__(self) -> str:
        return f"{self.number} {self.name}".strip()


class SiteAssignment(models.Model):
    """One member of the site staff at one site."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    site = models.ForeignKey("ecoa.Site", models.CASCADE, related_name="assignments")
    member = models.ForeignKey("vaultadmin.Membership", models.CASCADE, related_name="site_assignments")
    assigned_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "member"], name="site_assignment_once")]

    def __str__(self) -> str:
        return f"{self.member} at {self.site}"


class SiteTally(models.Model):
    """How many participants of a site are in which state, kept by a trigger on the participants.

    A page over a site of 100,000 participants reads one row instead of counting them. `stamp` grows with every
    change, so a poll that sees the same stamp is answered "nothing new".
    """

    site = models.OneToOneField("ecoa.Site", models.CASCADE, primary_key=True, related_name="tally")
    waiting = models.BigIntegerField(default=0)
    synced = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    unknown = models.BigIntegerField(default=0)
    stamp = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.total} participants"

    @property
    def total(self) -> int:
        return self.waiting + self.synced + self.rejected + self.unknown

    @property
    def troubled(self) -> int:
        """Those somebody may have to do something about."""
        return self.rejected + self.unknown
