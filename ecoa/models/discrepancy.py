"""Discrepancies: what eCOA holds against what we hold, wherever the two differ. One model for all ways to find one.

The resolver finds one while sending (`conflict`), the drift radar while reading back (all other kinds). A discrepancy
is open until a person decides or the two agree again; it is cleared by the read-back that proves so, never by hand.
Counts for other pages: `ecoa.selectors.drift.open_by_site`, read from counters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from vaultadmin.permissions import Permission, can

if TYPE_CHECKING:
    from vaultadmin.models import Membership


class DiscrepancyKind(models.TextChoices):
    """How the two sides differ. The last two and a moved region belong to a site, the others to a participant."""

    CONFLICT = "conflict", _("Conflict")
    MISSING = "missing", _("Missing in eCOA")
    ID_DIFFERS = "id_differs", _("ID differs")
    REGION_MOVED = "region_moved", _("Region moved")
    MAPPING_GONE = "mapping_gone", _("Study not mapped")
    SITE_UNMAPPED = "site_unmapped", _("Site not mapped")


# Two values stand against each other; nothing is overwritten before somebody says which one counts.
HELD_BACK = (DiscrepancyKind.CONFLICT, DiscrepancyKind.ID_DIFFERS)


class DiscrepancyState(models.TextChoices):
    """Open waits for a person, decided for the proof, cleared is over."""

    OPEN = "open", _("Open")
    DECIDED = "decided", _("Decided, proof to come")
    CLEARED = "cleared", _("Cleared")


STANDING = (DiscrepancyState.OPEN, DiscrepancyState.DECIDED)


class Finder(models.TextChoices):
    """Who found it."""

    RESOLVER = "resolver", _("While sending")
    RADAR = "radar", _("By the drift radar")


class Remedy(models.TextChoices):
    """What a person can decide."""

    KEEP_OURS = "keep_ours", _("Keep our value and send it again")
    TAKE_THEIRS = "take_theirs", _("Take the value eCOA holds")
    AT_SOURCE = "at_source", _("Correct it at the source")
    ACCEPT_REGION = "accept_region", _("Accept the new region")


class DiscrepancyQuerySet(models.QuerySet["Discrepancy"]):
    """Discrepancy rows as people may see them."""

    def visible_to(self, member: Membership) -> DiscrepancyQuerySet:
        """The study team sees those of every site, site staff those of participants at their sites."""
        rows = self.filter(vault=member.vault_id)
        if can(member, Permission.ECOA_STUDY_TEAM):
            return rows
        if can(member, Permission.ECOA_VIEW_SITES):
            return rows.filter(participant__isnull=False, site__assignments__member=member)
        return rows.none()

    def standing(self) -> DiscrepancyQuerySet:
        """Those that are not over."""
        return self.filter(state__in=STANDING)

    def holding(self) -> DiscrepancyQuerySet:
        """Those whose participant no run sends, as the plan of a run has it: nobody decided whose value counts, or
        somebody decided that the source speaks next. A newer value of ours that nobody else holds goes out."""
        newer = Q(version__lt=F("participant__version"))
        undecided = Q(state=DiscrepancyState.OPEN) & ~(Q(holder_unknown=True) & newer)
        awaited = Q(state=DiscrepancyState.DECIDED, decision__remedy=Remedy.AT_SOURCE) & ~newer
        return self.filter(undecided | awaited, kind__in=HELD_BACK, participant__isnull=False)


class Discrepancy(models.Model):
    """One difference, of a participant or (without one) of a whole site.

    `version` is our version of the participant the difference was found against; `stamp` grows with every change, so
    that a decision is about exactly what the person saw. `holder_unknown`: eCOA says somebody else has our value
    (ID-0003), so there is no value of theirs to compare with. The places are set when eCOA holds the participant
    somewhere else: the site and region of each side.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    mapping = models.ForeignKey("ecoa.StudyMapping", models.CASCADE, related_name="discrepancies")
    site = models.ForeignKey("ecoa.Site", models.CASCADE, related_name="discrepancies", db_index=False)
    participant = models.ForeignKey(
        "ecoa.Participant", models.CASCADE, null=True, related_name="discrepancies", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=13, choices=DiscrepancyKind.choices)
    state = models.CharField(_("state"), max_length=7, choices=DiscrepancyState.choices, default=DiscrepancyState.OPEN)
    code = models.CharField(max_length=32, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    version = models.IntegerField(default=0)
    our_value = models.CharField(_("our value"), max_length=500, blank=True)
    their_value = models.CharField(_("eCOA's value"), max_length=500, blank=True)
    their_my_id = models.CharField(max_length=255, blank=True)
    our_place = models.CharField(max_length=500, blank=True, default="", db_default="")
    their_place = models.CharField(max_length=500, blank=True, default="", db_default="")
    holder_unknown = models.BooleanField(default=False)
    found_by = models.CharField(max_length=8, choices=Finder.choices)
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    decision = models.ForeignKey("ecoa.Decision", models.SET_NULL, null=True, related_name="discrepancies")
    send_due = models.BooleanField(default=False)
    run = models.ForeignKey("ecoa.SyncRun", models.SET_NULL, null=True, related_name="+")
    cleared_at = models.DateTimeField(null=True)
    stamp = models.IntegerField(default=1)

    objects = DiscrepancyQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "discrepancies"
        constraints = [
            models.UniqueConstraint(
                fields=["participant"], condition=Q(state__in=["open", "decided"]), name="discrepancy_one_standing"
            ),
            models.UniqueConstraint(
                fields=["site", "kind"],
                condition=Q(state__in=["open", "decided"], participant__isnull=True),
                name="discrepancy_one_standing_of_site",
            ),
        ]
        indexes = [
            models.Index(fields=["vault", "-id"], name="discrepancy_newest"),
            models.Index(
                fields=["vault", "-id"], condition=Q(state__in=["open", "decided"]), name="discrepancy_standing"
            ),
            models.Index(
                fields=["site", "-id"], condition=Q(state__in=["open", "decided"]), name="discrepancy_of_site"
            ),
            models.Index(fields=["mapping"], condition=Q(send_due=True), name="discrepancy_to_send"),
            models.Index(fields=["participant", "-id"], name="discrepancy_of_participant"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"

    @property
    def look(self) -> str:
        """The state as people should see it: an open one waits for somebody."""
        return "attention" if self.state == DiscrepancyState.OPEN else self.state

    @property
    def our_side(self) -> str:
        """What differs, as we hold it: the place where eCOA has the participant somewhere else, else the value."""
        return self.our_place if self.their_place else self.our_value

    @property
    def their_side(self) -> str:
        """The same as eCOA holds it; empty for nothing."""
        return self.their_place or self.their_value

    @property
    def subject(self) -> str:
        """What it is about, as people call it."""
        return str(self.participant) if self.participant_id else f"Site {self.site}"


class DecisionState(models.TextChoices):
    """A decision about many is carried out by a worker; the signature is given before."""

    RUNNING = "running", _("Being carried out")
    DONE = "done", _("Carried out")


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Decision rows as people may see them."""

    def visible_to(self, member: Membership) -> DecisionQuerySet:
        """They span sites, so they are for those who see all sites."""
        return self.filter(vault=member.vault_id) if can(member, Permission.ECOA_STUDY_TEAM) else self.none()


class Decision(models.Model):
    """What a person signed about one or many discrepancies: exactly `chosen`, each as it was at `stamps`.

    `cursor` is how many of them were looked at, so an interrupted one goes on where it was.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    remedy = models.CharField(_("decision"), max_length=13, choices=Remedy.choices)
    reason = models.CharField(_("reason"), max_length=500)
    state = models.CharField(max_length=7, choices=DecisionState.choices, default=DecisionState.RUNNING)
    chosen = ArrayField(models.BigIntegerField())
    stamps = ArrayField(models.IntegerField())
    excluded = models.JSONField(default=list)
    cursor = models.IntegerField(default=0)
    done = models.IntegerField(default=0)
    signature = models.ForeignKey("vaultadmin.Signature", models.PROTECT, null=True, related_name="+")
    decided_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="+")
    decider_label = models.CharField(max_length=255)
    decided_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["vault", "-id"], name="decision_newest"),
            models.Index(fields=["id"], condition=Q(state="running"), name="decision_unfinished"),
        ]

    def __str__(self) -> str:
        return f"Decision {self.pk}"

    @property
    def total(self) -> int:
        return len(self.chosen)

    @property
    def skipped(self) -> int:
        """Those that had changed, or were settled, before it was their turn."""
        return self.cursor - self.done
