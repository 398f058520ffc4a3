"""Sessions of the Vault REST API: what a caller shows instead of a password. Hashed at rest, shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from vaultadmin.permissions import Permission, can

if TYPE_CHECKING:
    from vaultadmin.models.membership import Membership


class ApiSessionOrigin(models.TextChoices):
    """Who asked for a session."""

    PASSWORD = "password", "Signed in with a password"  # pragma: allowlist secret
    CONNECTION = "connection", "Made for a connection"


class ApiSessionQuerySet(models.QuerySet["ApiSession"]):
    """Session rows."""

    def visible_to(self, member: Membership) -> ApiSessionQuerySet:
        """A person's own sessions in this vault; who administers users sees everybody's."""
        if can(member, Permission.ADMIN_USERS):
            return self.filter(membership__vault=member.vault_id)
        return self.filter(membership=member)

    def open(self) -> ApiSessionQuerySet:
        """Those nobody ended; whether they idled or aged out depends on the moment and the vault."""
        return self.filter(ended_at__isnull=True)


class ApiSession(models.Model):
    """A session bound to one membership, to the Client ID it was made with and to the connection that id speaks for."""

    membership = models.ForeignKey("vaultadmin.Membership", models.CASCADE, related_name="api_sessions")
    origin = models.CharField(max_length=16, choices=ApiSessionOrigin.choices)
    token_hash = models.BinaryField(unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False, help_text="First characters, so that logs can name it.")
    # Ends the session when the password changes, as Django does with its own.
    password_mark = models.CharField(max_length=64, editable=False)
    client_id = models.CharField(max_length=100, blank=True)
    # The platform knows connections by number and name only; the app that has them resolves the number.
    connection_id = models.BigIntegerField(null=True)
    connection = models.CharField(max_length=64, blank=True)
    ip = models.CharField(max_length=45, blank=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = ApiSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["membership", "-created_at"], name="api_session_by_member"),
            models.Index(fields=["expires_at"], name="api_session_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.hint}…"
