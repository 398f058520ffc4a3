"""Prove that the audit trail is whole."""

from __future__ import annotations

from typing import Any

from vaultadmin.commands import DONE, WITH_FAILURES
from vaultadmin.commands import Command as OurCommand
from vaultadmin.services import audit_check


class Command(OurCommand):
    help = "Recomputes every audit chain and names the first row that was edited, removed or reordered."

    def add_arguments(self, parser: Any) -> None:
        """One switch."""
        parser.add_argument("--json", action="store_true", help="print {vaults, rows, ok, first_bad}")

    def run(self, **options: Any) -> int:
        """0 whole, 1 broken."""
        result = audit_check.verify()
        if options["json"]:
            self.print_json(result.as_dict())
        elif result.ok:
            self.stdout.write(f"{result.rows} rows in {result.chains} chains: all whole.")
        else:
            self.stdout.write(f"Broken at {result.first_bad}.")
        return DONE if result.ok else WITH_FAILURES
