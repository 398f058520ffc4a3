"""Make the standard connections of vaults, or one more of one of them."""

from __future__ import annotations

from typing import Any

from connections.integrations import catalogue
from connections.models import Connection
from connections.services import standard
from connections.services.refusals import Refused
from vaultadmin import clock
from vaultadmin.commands import DONE
from vaultadmin.commands import Command as OurCommand
from vaultadmin.models import Vault


class Command(OurCommand):
    help = (
        "Makes the standard connections a vault's application takes part in, and brings those it has up to date. "
        "Safe to repeat: what administrators changed stays."
    )

    def add_arguments(self, parser: Any) -> None:
        """Which vaults; with --instance one more of one connection."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--vault", type=int, help="Vault ID")
        which.add_argument("--all", action="store_true", help="every vault of the installation")
        parser.add_argument("--connection", choices=[entry.key for entry in catalogue.standard_connections()])
        parser.add_argument("--instance", type=int, help="with --connection: see that this many of it are there")

    def run(self, **options: Any) -> int:
        """0 done, 2 wrong use."""
        if (options["connection"] is None) != (options["instance"] is None):
            raise self.fail("--connection and --instance go together.")
        if options["instance"] is not None and options["vault"] is None:
            raise self.fail("--instance is for one vault: name it with --vault.")
        vaults = Vault.objects.order_by("pk")
        if options["vault"] is not None:
            vaults = vaults.filter(pk=options["vault"])
            if not vaults:
                raise self.fail(f"There is no vault {options['vault']}.")
        try:
            for vault in vaults:
                self._load(vault)
                if options["instance"] is not None:
                    self._add(vault, options["connection"], options["instance"])
        except Refused as error:
            raise self.fail(str(error)) from error
        return DONE

    def _load(self, vault: Vault) -> None:
        done = standard.load(vault, by=standard.CATALOGUE, now=clock.now())
        self.stdout.write(f"Vault {vault.pk} {vault}: {len(done.created)} made, {len(done.changed)} renamed.")

    def _add(self, vault: Vault, key: str, instances: int) -> None:
        held = Connection.objects.filter(vault=vault, standard_key=key)
        while held.count() < instances:
            connection = standard.add(vault=vault, key=key, by=standard.CATALOGUE, now=clock.now())
            self.stdout.write(f"Vault {vault.pk} {vault}: {connection.api_name} was added.")
