"""People. They sign in with an e-mail address and have no user name."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower


class UserManager(BaseUserManager["User"]):
    """Creates people by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A new person; without a password they must use an invitation or reset link first."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """Look a person up by address, ignoring case."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person of this installation. What they may do is decided per vault by their Membership."""

    email = models.EmailField("e-mail address", unique=True)
    name = models.CharField(max_length=128, help_text="Printed on approvals and in the audit trail.")
    is_active = models.BooleanField(default=True)
    is_domain_admin = models.BooleanField(
        "Domain Administrator", default=False, help_text="May create vaults and see every person of the installation."
    )
    is_system = models.BooleanField(
        "system account", default=False, editable=False, help_text="Acts for the product; nobody can sign in with it."
    )
    mail_notices = models.BooleanField(
        "E-mail notices", default=True, help_text="Mails about tasks that wait and requests that were decided."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(
                condition=models.Q(is_system=False)
                | models.Q(is_domain_admin=False, password__startswith=UNUSABLE_PASSWORD_PREFIX),
                name="user_system_account_cannot_sign_in",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """The printed name."""
        return self.name

    def get_short_name(self) -> str:
        """The printed name; we never shorten people."""
        return self.name
