"""Participants: what our side says, which version of it eCOA confirmed, and what eCOA calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ecoa import sources
from ecoa.cards import Card, card_for
from vaultadmin.permissions import Permission, can

if TYPE_CHECKING:
    from vaultadmin.models import Membership


class ParticipantStatus(models.TextChoices):
    """What we know about a participant in eCOA. `sending` is shown for rows a worker holds and is never stored."""

    WAITING = "waiting", _("Waiting to be sent")
    SENDING = "sending", _("Being sent")
    SYNCED = "synced", _("In eCOA")
    REJECTED = "rejected", _("Not accepted")
    UNKNOWN = "unknown", _("Not known yet")


class ParticipantQuerySet(models.QuerySet["Participant"]):
    """Participant rows as people may see them."""

    def visible_to(self, member: Membership) -> ParticipantQuerySet:
        """The study team sees all participants of the vault, site staff those of their sites."""
        rows = self.filter(vault=member.vault_id)
        if can(member, Permission.ECOA_STUDY_TEAM):
            return rows
        if can(member, Permission.ECOA_VIEW_SITES):
            return rows.filter(site__assignments__member=member)
        return rows.none()


class Participant(models.Model):
    """One person of one study, known by two ids and no name.

    `version` grows with every change of ours; `synced_version` is the newest one eCOA confirmed. `internal_id` never
    changes. The ids collate by code point, so one index serves order, paging and prefix search.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    mapping = models.ForeignKey("ecoa.StudyMapping", models.PROTECT, related_name="participants", db_index=False)
    site = models.ForeignKey("ecoa.Site", models.PROTECT, related_name="participants", db_index=False)
    participant_id = models.CharField(_("participant ID"), max_length=255, db_collation="C")
    internal_id = models.CharField(_("internal ID"), max_length=255, db_collation="C")
    version = models.IntegerField(default=1)
    synced_version = models.IntegerField(default=0)
    my_veeva_participant_id = models.CharField(_("MyVeeva participant ID"), max_length=255, blank=True)
    status = models.CharField(
        _("state"), max_length=8, choices=ParticipantStatus.choices, default=ParticipantStatus.WAITING
    )
    # A try of some version may have landed unseen. Outlives a change of ours, which only resets the status.
    in_doubt = models.BooleanField(default=False)
    stage = models.SmallIntegerField(default=0)
    code = models.CharField(max_length=32, blank=True)
    message = models.CharField(max_length=500, blank=True)
    # Who owns the ID: a key of ecoa.sources, and the file, machine or person behind it.
    source = models.CharField(_("source"), max_length=16, default=sources.FILE)
    source_name = models.CharField(_("named"), max_length=255, blank=True, default="", db_default="")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    synced_at = models.DateTimeField(null=True)
    # The facts of the evidence report, kept by whoever settles: the first try that went out, and the newest answer to
    # a read-back that showed our value, for which version, and where its evidence is ("run 12, try 3456").
    first_sent_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_version = models.IntegerField(default=0, db_default=0)
    confirmed_by = models.CharField(max_length=64, blank=True, db_default="")

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        ordering = ["participant_id"]
        constraints = [
            models.UniqueConstraint(fields=["mapping", "internal_id"], name="participant_internal_id_once"),
            models.UniqueConstraint(fields=["mapping", "participant_id"], name="participant_id_once"),
            models.CheckConstraint(
                condition=Q(synced_version__lte=F("version"), version__gte=1), name="participant_versions_in_order"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "synced", "rejected", "unknown"]), name="participant_status_known"
            ),
        ]
        indexes = [
            models.Index(fields=["site", "participant_id"], name="participant_by_site"),
            models.Index(fields=["site", "status", "participant_id"], name="participant_by_state"),
            models.Index(fields=["mapping"], condition=Q(in_doubt=True), name="participant_in_doubt"),
            # Those whose older value eCOA may still hold: who has the ID another one wants.
            models.Index(
                fields=["mapping"],
                condition=Q(synced_version__gt=0, version__gt=F("synced_version")),
                name="participant_change_pending",
            ),
            # Who needs somebody is told by the code, and few have one.
            models.Index(fields=["site", "code", "participant_id"], condition=~Q(code=""), name="participant_by_code"),
        ]

    def __str__(self) -> str:
        return self.participant_id

    def get_source_display(self) -> str:
        """The source in words."""
        return str(sources.get(self.source).label)

    @property
    def owner(self) -> str:
        """Who owns the participant ID."""
        return sources.owner_words(self.source, self.source_name)

    @property
    def lock(self) -> str:
        """Why the participant ID is not changed here; empty when the study team may."""
        return sources.lock_words(self.source, self.source_name)

    @property
    def card(self) -> Card | None:
        """The site card of a participant that is not where it should be."""
        return card_for(self.code) if self.code else None
