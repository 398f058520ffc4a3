"""`manage.py bench`: hands over to the benchmarks, which bring servers of their own."""

from __future__ import annotations

import os
import sys
from typing import Any

from vaultadmin import environment
from vaultadmin.commands import Command as Base
from vaultadmin.commands import CommandParser


class Command(Base):
    help = "Measure the product beside its peers and its limits; all benchmarks when none is named."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="which benchmarks")
        parser.add_argument("--full", action="store_true", help="full counts, up to an hour")
        parser.add_argument("--json", action="store_true", help="one line of JSON a benchmark instead of tables")

    def run(self, **options: Any) -> int:
        """This process becomes the benchmark's, so that signals and the exit status are its own."""
        flags = [f"--{flag}" for flag in ("full", "json") if options[flag]]
        os.chdir(environment.ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "bench", *flags, *options["names"]])  # nosec B606
