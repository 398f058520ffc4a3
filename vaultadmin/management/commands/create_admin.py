"""Create the first person, or another one who runs the whole installation."""

from __future__ import annotations

import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from vaultadmin import clock
from vaultadmin.audit import System
from vaultadmin.commands import DONE
from vaultadmin.commands import Command as OurCommand
from vaultadmin.models import User
from vaultadmin.services import people

_OPERATOR = System("create_admin")


class Command(OurCommand):
    help = (
        "Creates a Domain Administrator who is Vault Owner in every vault. Asks for a password when there is somebody "
        "to ask, else (or with --link) prints a single-use link by which the person chooses one."
    )

    def add_arguments(self, parser: Any) -> None:
        """Who."""
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True, help="printed name, as it stands on approvals")
        parser.add_argument("--link", action="store_true", help="print a link instead of asking for a password")

    def run(self, **options: Any) -> int:
        """0 done, 2 when the person cannot be made."""
        email, name = options["email"].strip().lower(), options["name"].strip()
        self._check(email, name)
        password = None if options["link"] or not sys.stdin.isatty() else self._ask(User(email=email, name=name))
        try:
            link = people.create_administrator(email=email, name=name, password=password, by=_OPERATOR, now=clock.now())
        except people.PersonRefused as error:
            raise self.fail(str(error)) from error
        self.stdout.write(f"{name} is a Domain Administrator and Vault Owner in every vault.")
        if link:
            self.stdout.write(f"They choose a password here, once, within 72 hours:\n{link}")
        return DONE

    def _check(self, email: str, name: str) -> None:
        try:
            validate_email(email)
        except ValidationError as error:
            raise self.fail(f"{email} is not an e-mail address.") from error
        if not 1 <= len(name) <= 128:
            raise self.fail("The printed name needs 1 to 128 characters.")

    def _ask(self, user: User) -> str:
        password = getpass("Password: ")
        if password != getpass("Password again: "):
            raise self.fail("The two passwords differ.")
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise self.fail(" ".join(error.messages)) from error
        return password
