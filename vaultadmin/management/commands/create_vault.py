"""Create a vault from the command line."""

from __future__ import annotations

from typing import Any

from vaultadmin import clock
from vaultadmin.audit import System
from vaultadmin.commands import DONE
from vaultadmin.commands import Command as OurCommand
from vaultadmin.models import Application, User
from vaultadmin.services import people, vaults

_OPERATOR = System("create_vault")


class Command(OurCommand):
    help = "Creates a vault with the standard security profiles and makes a person its Vault Owner."

    def add_arguments(self, parser: Any) -> None:
        """Name, application and DNS name; the number comes by itself."""
        parser.add_argument("--name", required=True)
        parser.add_argument("--application", required=True, choices=Application.values)
        parser.add_argument("--dns", required=True, help="DNS name, such as quality.example.com")
        parser.add_argument("--id", type=int, help="Vault ID; the next free one when left out")
        parser.add_argument("--owner", help="e-mail address; every Domain Administrator when left out")

    def run(self, **options: Any) -> int:
        """0 done, 2 when the vault cannot be made."""
        owners = User.objects.filter(is_active=True)
        owners = (
            owners.filter(email=options["owner"].lower()) if options["owner"] else owners.filter(is_domain_admin=True)
        )
        if not owners:
            raise self.fail("Nobody could own the vault: create a person with create_admin first, or name another.")
        try:
            vault = vaults.create_vault(
                id=options["id"],
                name=options["name"],
                dns=options["dns"],
                application=options["application"],
                by=_OPERATOR,
                now=clock.now(),
            )
        except vaults.VaultRefused as error:
            raise self.fail(str(error)) from error
        for user in owners:
            people.make_owner(user, vault=vault, by=_OPERATOR)
        self.stdout.write(f"Vault {vault.pk} {vault} was created. Vault Owner: {', '.join(map(str, owners))}.")
        return DONE
