"""The agreement between a connection record and one peer record."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from connections.constants import BindingState, Side, Verdict
from connections.peering.messages import Party, View
from vaultadmin.models import Installation
from vaultadmin.state_machine import StateMachine

PROPOSED = BindingState.PROPOSED
APPROVING = BindingState.APPROVING
OPEN_STATES = (PROPOSED, APPROVING)


class BindingQuerySet(models.QuerySet["Binding"]):
    """Binding rows."""

    def open(self) -> BindingQuerySet:
        """Those still being agreed on."""
        return self.filter(state__in=OPEN_STATES)

    def in_force(self) -> BindingQuerySet:
        """Those messages may travel on."""
        return self.filter(state=BindingState.IN_FORCE)


class Binding(StateMachine, models.Model):
    """One exchange of a connection file, seen from this side: proposed, approved here and there, in force, ended.

    It pins who the peer is (installation and vault), which of its records it speaks for, and the certificate its
    messages must be signed with. A record has at most one binding in force and one being agreed on, so an old one
    keeps working until a new one replaces it. Both sides know it by the same `exchange`, the id of the file.
    """

    connection = models.ForeignKey("connections.Connection", models.CASCADE, related_name="bindings")
    exchange = models.UUIDField(editable=False)
    side = models.CharField(max_length=8, choices=Side.choices)
    state = FSMField(choices=BindingState.choices, max_length=16, protected=True)
    needs_approval = models.BooleanField()
    creates_record = models.BooleanField(default=False)

    # Which of our certificates the peer pinned when it learned of us; later ones are announced to it.
    own_certificate = models.ForeignKey("connections.SigningCertificate", models.PROTECT, related_name="+")
    peer_installation_id = models.UUIDField()
    peer_vault_id = models.BigIntegerField()
    peer_connection_id = models.CharField(max_length=15)
    peer_certificate_id = models.CharField(max_length=5)
    peer_certificate_pem = models.TextField()
    # Taken from the certificate, so that what ends soon is found by a query; None on rows older than the column.
    peer_certificate_not_after = models.DateTimeField(null=True)
    peer_url = models.CharField(max_length=2000)
    peer_name = models.CharField(max_length=128)
    peer_dns = models.CharField(max_length=253)
    peer_domain = models.CharField(max_length=253, blank=True)
    peer_application = models.CharField(max_length=64, blank=True)
    file_sha256 = models.CharField(max_length=64)
    six_words = models.CharField("Six words", max_length=96, blank=True)
    agreed = models.JSONField(null=True, editable=False, help_text="The plan in force since it was established.")

    requested_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, related_name="+")
    remote_requested_by = models.CharField(max_length=128, blank=True)
    requested_at = models.DateTimeField()
    lapses_at = models.DateTimeField("Lapses", null=True)
    local_verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True)
    local_decided_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="+")
    local_decided_at = models.DateTimeField(null=True)
    local_comment = models.TextField(blank=True)
    local_version = models.CharField(max_length=64, blank=True)
    local_signature = models.OneToOneField("vaultadmin.Signature", models.PROTECT, null=True, related_name="+")
    words_compared = models.BooleanField("Six words compared", default=False)
    remote_verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True)
    remote_decided_by = models.CharField(max_length=128, blank=True)
    remote_decided_at = models.DateTimeField(null=True)
    remote_comment = models.TextField(blank=True)
    remote_meaning = models.CharField(max_length=255, blank=True)
    remote_method = models.CharField(max_length=32, blank=True)
    established_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=128, blank=True)
    end_reason = models.CharField(max_length=255, blank=True)

    objects = BindingQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        indexes = [
            models.Index(fields=["lapses_at"], name="binding_lapses", condition=Q(state__in=OPEN_STATES)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["exchange", "side"],
                condition=~Q(state=BindingState.REFUSED),
                name="binding_one_per_file_and_side",
            ),
            models.UniqueConstraint(
                fields=["connection"], condition=Q(state__in=OPEN_STATES), name="binding_one_open_per_connection"
            ),
            models.UniqueConstraint(
                fields=["connection"],
                condition=Q(state=BindingState.IN_FORCE),
                name="binding_one_in_force_per_connection",
            ),
            models.CheckConstraint(
                condition=Q(local_verdict="", local_decided_by__isnull=True, local_decided_at__isnull=True)
                | (Q(local_decided_by__isnull=False, local_decided_at__isnull=False) & ~Q(local_verdict="")),
                name="binding_local_verdict_has_who_and_when",
            ),
            models.CheckConstraint(
                condition=Q(remote_verdict="", remote_decided_at__isnull=True)
                | (Q(remote_decided_at__isnull=False) & ~Q(remote_verdict="")),
                name="binding_remote_verdict_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state=BindingState.IN_FORCE)
                | Q(established_at__isnull=False, needs_approval=False)
                | Q(
                    established_at__isnull=False,
                    needs_approval=True,
                    local_verdict=Verdict.APPROVE,
                    remote_verdict=Verdict.APPROVE,
                ),
                name="binding_in_force_was_agreed_by_both",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[*OPEN_STATES, BindingState.IN_FORCE], ended_at__isnull=True)
                | (~Q(state__in=[*OPEN_STATES, BindingState.IN_FORCE]) & Q(ended_at__isnull=False)),
                name="binding_end_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connection} ↔ {self.peer_name}"

    @property
    def peer(self) -> Party:
        """Who the other side is."""
        return Party(self.peer_installation_id, self.peer_vault_id)

    @property
    def is_open(self) -> bool:
        """Is it still being agreed on?"""
        return self.state in OPEN_STATES

    @property
    def both_approved(self) -> bool:
        """Did people on both sides approve?"""
        return self.local_verdict == Verdict.APPROVE and self.remote_verdict == Verdict.APPROVE

    @property
    def joins_installations(self) -> bool:
        """Does the peer live in another installation?"""
        return self.peer_installation_id != Installation.current().pk

    @property
    def own_request_decided(self) -> bool:
        """Did the requester decide their own request, as a sandbox may allow?"""
        decider = self.local_decided_by
        return decider is not None and decider.user_id == self.requested_by.user_id

    @property
    def view(self) -> View:
        """What the other side is told about how it stands here."""
        who = self.local_decided_by.user.name if self.local_decided_by else self.ended_by
        return View(state=self.state, decided_by=who, decided_at=self.local_decided_at or self.ended_at)

    @transition(state, source=PROPOSED, target=APPROVING)
    def accept(self) -> None:
        """The other side took the file; people decide now."""

    @transition(state, source=[PROPOSED, APPROVING], target=BindingState.IN_FORCE)
    def enforce(self) -> None:
        """Agreed by both sides."""

    @transition(state, source=PROPOSED, target=BindingState.REFUSED)
    def refuse(self) -> None:
        """The other side did not take the file."""

    @transition(state, source=[PROPOSED, APPROVING], target=BindingState.REJECTED)
    def reject(self) -> None:
        """An approver on either side said no."""

    @transition(state, source=[PROPOSED, APPROVING], target=BindingState.WITHDRAWN)
    def withdraw(self) -> None:
        """The requester on either side took it back."""

    @transition(state, source=[PROPOSED, APPROVING], target=BindingState.LAPSED)
    def lapse(self) -> None:
        """Nobody decided in time on one of the sides."""

    @transition(state, source=BindingState.IN_FORCE, target=BindingState.ENDED)
    def end(self) -> None:
        """Replaced by a newer one, reset here, or the peer has gone."""
