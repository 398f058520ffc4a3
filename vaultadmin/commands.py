"""What our management commands share: one-sentence errors and the exit codes of interfaces.md section 1."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

DONE, WITH_FAILURES, USAGE = 0, 1, 2


class Command(BaseCommand):
    """A command whose `run` returns its exit status; `fail` ends it with one sentence and status 2."""

    requires_system_checks: list[str] = []

    def run(self, **options: Any) -> int:
        """Do the work; the exit status."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and leave with the status that `run` returned."""
        status = self.run(**options)
        if status != DONE:
            sys.exit(status)

    def fail(self, sentence: str) -> CommandError:
        """The error to raise for wrong use or bad input."""
        return CommandError(sentence, returncode=USAGE)

    def print_json(self, value: dict[str, Any]) -> None:
        """One line of JSON."""
        self.stdout.write(json.dumps(value, separators=(",", ":")))


__all__ = ["DONE", "USAGE", "WITH_FAILURES", "Command", "CommandError", "CommandParser"]
