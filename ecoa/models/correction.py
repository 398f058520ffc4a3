"""Corrections: a site asks for another participant ID, the study team signs, eCOA proves that it is there."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from vaultadmin.permissions import Permission, can
from vaultadmin.state_machine import StateMachine

if TYPE_CHECKING:
    from ecoa.models.attempt import Attempt
    from vaultadmin.models import Membership, Signature


class CorrectionState(models.TextChoices):
    """Where a correction is. People ask, sign, reject and withdraw; what eCOA answers decides the rest."""

    ASKED = "asked", _("Waits for the study team")
    SIGNED = "signed", _("Signed, on its way")
    CONFIRMED = "confirmed", _("In eCOA")
    NOT_ACCEPTED = "not_accepted", _("Not accepted by eCOA")
    OVERTAKEN = "overtaken", _("Overtaken by the source")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")


OPEN_CORRECTIONS = (CorrectionState.ASKED, CorrectionState.SIGNED)


def may_decide(correction: Correction, member: Membership) -> bool:
    """The study team decides, and never on what one of them asked for."""
    return can(member, Permission.ECOA_STUDY_TEAM) and member.user_id != correction.asked_by.user_id


def may_withdraw(correction: Correction, member: Membership) -> bool:
    """Only who asked takes it back."""
    return member.user_id == correction.asked_by.user_id


class CorrectionQuerySet(models.QuerySet["Correction"]):
    """Correction rows."""

    def visible_to(self, member: Membership) -> CorrectionQuerySet:
        """Who sees the participant sees its corrections."""
        rows = self.filter(vault=member.vault_id)
        if can(member, Permission.ECOA_STUDY_TEAM):
            return rows
        if can(member, Permission.ECOA_VIEW_SITES):
            return rows.filter(participant__site__assignments__member=member)
        return rows.none()

    def open(self) -> CorrectionQuerySet:
        """Those that are not over."""
        return self.filter(state__in=OPEN_CORRECTIONS)


class Correction(StateMachine, models.Model):
    """One request for another participant ID, from the question to the proof.

    `version` is the participant's version that carries the new ID; `push_at` is when the engine is next given it,
    `pushes` how often it was, and `evidence` the try whose answer ended the correction. `undone_*` tell that a source
    which owns the ID put another one in its place since.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    mapping = models.ForeignKey("ecoa.StudyMapping", models.PROTECT, related_name="+")
    participant = models.ForeignKey("ecoa.Participant", models.CASCADE, related_name="corrections")
    old_value = models.CharField(_("participant ID before"), max_length=255)
    new_value = models.CharField(_("new participant ID"), max_length=255, db_collation="C")
    reason = models.CharField(_("reason"), max_length=500)
    state = FSMField(_("state"), default=CorrectionState.ASKED, choices=CorrectionState.choices, protected=True)
    asked_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    comment = models.CharField(_("comment"), max_length=2000, blank=True)
    signature = models.OneToOneField("vaultadmin.Signature", models.PROTECT, null=True, related_name="+")
    version = models.IntegerField(null=True)
    push_at = models.DateTimeField(null=True)
    pushes = models.PositiveSmallIntegerField(default=0)
    run = models.ForeignKey("ecoa.SyncRun", models.SET_NULL, null=True, related_name="+")
    evidence = models.ForeignKey("ecoa.Attempt", models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(_("undone by"), max_length=320, blank=True, default="", db_default="")
    undone_value = models.CharField(max_length=255, blank=True, default="", db_default="")

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["participant"], condition=Q(state__in=["asked", "signed"]), name="correction_one_open"
            ),
            models.UniqueConstraint(
                fields=["mapping", "new_value"],
                condition=Q(state__in=["asked", "signed"]),
                name="correction_new_id_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "withdrawn"], decided_by__isnull=True, signature__isnull=True)
                | Q(decided_by__isnull=False, decided_at__isnull=False, signature__isnull=False),
                name="correction_decision_signed",
            ),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True) | ~Q(undone_by="", undone_value=""), name="correction_undone_whole"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "signed"], ended_at__isnull=True)
                | (~Q(state__in=["asked", "signed"]) & Q(ended_at__isnull=False)),
                name="correction_end_dated",
            ),
        ]
        indexes = [models.Index(fields=["push_at"], condition=Q(state="signed"), name="correction_on_its_way")]

    def __str__(self) -> str:
        return f"{self.old_value} → {self.new_value}"

    @property
    def is_open(self) -> bool:
        """Is it still under way?"""
        return self.state in OPEN_CORRECTIONS

    @transition(state, source=CorrectionState.ASKED, target=CorrectionState.SIGNED, permission=may_decide)  # type: ignore[arg-type]  # asked about members, not users
    def sign(self, *, by: Membership, comment: str, signature: Signature, version: int, at: datetime) -> None:
        """The study team stands for the new ID; the engine may have it at once."""
        self._decided(by, comment, signature, at)
        self.version, self.push_at = version, at

    @transition(state, source=CorrectionState.ASKED, target=CorrectionState.REJECTED, permission=may_decide)  # type: ignore[arg-type]  # asked about members, not users
    def reject(self, *, by: Membership, comment: str, signature: Signature, at: datetime) -> None:
        """The study team says no, and why."""
        self._decided(by, comment, signature, at)
        self.ended_at = at

    @transition(state, source=CorrectionState.ASKED, target=CorrectionState.WITHDRAWN, permission=may_withdraw)  # type: ignore[arg-type]  # asked about members, not users
    def withdraw(self, *, at: datetime) -> None:
        """Who asked no longer wants it."""
        self.ended_at = at

    @transition(state, source=CorrectionState.SIGNED, target=CorrectionState.CONFIRMED)
    def confirm(self, *, evidence: Attempt, at: datetime) -> None:
        """A read-back showed the new ID in eCOA."""
        self.evidence, self.ended_at = evidence, at

    @transition(state, source=CorrectionState.SIGNED, target=CorrectionState.NOT_ACCEPTED)
    def refuse(self, *, evidence: Attempt, at: datetime) -> None:
        """eCOA said no to the new ID."""
        self.evidence, self.ended_at = evidence, at

    @transition(state, source=CorrectionState.SIGNED, target=CorrectionState.OVERTAKEN)
    def overtake(self, *, at: datetime) -> None:
        """The source put another ID in place before the new one was proven."""
        self.ended_at = at

    def _decided(self, by: Membership, comment: str, signature: Signature, at: datetime) -> None:
        self.decided_by, self.decided_at, self.comment, self.signature = by, at, comment, signature
