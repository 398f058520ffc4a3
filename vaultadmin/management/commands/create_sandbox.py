"""Create a sandbox of a vault from the command line."""

from __future__ import annotations

from typing import Any

from vaultadmin import clock
from vaultadmin.audit import System
from vaultadmin.commands import DONE, WITH_FAILURES
from vaultadmin.commands import Command as OurCommand
from vaultadmin.models import Sandbox, SandboxState, Vault
from vaultadmin.sandboxes import building, services

_OPERATOR = System("create_sandbox")


class Command(OurCommand):
    help = "Creates a sandbox of a vault and fills it. Domain Administrators become its Vault Owners."

    def add_arguments(self, parser: Any) -> None:
        """Which vault, and what the sandbox is called."""
        parser.add_argument("--vault", type=int, required=True, help="Vault ID of the source")
        parser.add_argument("--name", required=True)
        parser.add_argument("--dns", default="", help="DNS name; made from the name when left out")
        parser.add_argument("--without-people", action="store_true", help="do not copy people")

    def run(self, **options: Any) -> int:
        """0 done, 1 when it could not be filled, 2 wrong use."""
        source = Vault.objects.filter(pk=options["vault"]).first()
        if source is None:
            raise self.fail(f"There is no vault {options['vault']}.")
        try:
            sandbox = services.create(
                source=source,
                name=options["name"],
                dns=options["dns"],
                with_people=not options["without_people"],
                by=_OPERATOR,
                now=clock.now(),
                wake_workers=False,
            )
        except services.SandboxRefused as error:
            raise self.fail(str(error)) from error
        building.build_next(Sandbox.objects.due(clock.now()).filter(pk=sandbox.pk), now=clock.now())
        return self._told(Sandbox.objects.select_related("vault").get(pk=sandbox.pk))

    def _told(self, sandbox: Sandbox) -> int:
        vault = sandbox.vault
        if sandbox.state == SandboxState.ACTIVE:
            self.stdout.write(f"Sandbox {vault.pk} {vault} was created at {vault.dns}.")
            return DONE
        if sandbox.lease_token is not None:
            self.stdout.write(f"Sandbox {vault.pk} {vault} is being built by a worker.")
            return DONE
        self.stderr.write(f"Sandbox {vault.pk} {vault} could not be filled yet; workers try again.")
        return WITH_FAILURES
