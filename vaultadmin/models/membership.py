"""A person in a vault, and the invitation that brought them there."""

from __future__ import annotations

from django.db import models


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Membership rows."""

    def for_request(self) -> MembershipQuerySet:
        """With the three rows every permission question needs."""
        return self.select_related("user", "vault", "profile")


class Membership(models.Model):
    """One person in one vault with one security profile. This is the `by=` of every service."""

    user = models.ForeignKey("vaultadmin.User", models.PROTECT, related_name="memberships")
    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="memberships")
    profile = models.ForeignKey("vaultadmin.SecurityProfile", models.PROTECT, related_name="members")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["user__name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "vault"], name="membership_once_per_vault"),
            # The target of composite references: work cannot be given to a member of another vault.
            models.UniqueConstraint(fields=["id", "vault"], name="membership_of_one_vault"),
        ]

    def __str__(self) -> str:
        return str(self.user)


class Invitation(models.Model):
    """A single-use link by which a person sets their first password, or a new one after an administrator's reset."""

    user = models.ForeignKey("vaultadmin.User", models.CASCADE, related_name="invitations")
    token_hash = models.BinaryField(unique=True, editable=False)
    purpose = models.CharField(max_length=16, choices=[("invitation", "Invitation"), ("reset", "Password reset")])
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} for {self.user}"
