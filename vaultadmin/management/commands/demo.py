"""Load the demo world, drive its sync, or print its credentials."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from vaultadmin import clock
from vaultadmin.commands import DONE
from vaultadmin.commands import Command as OurCommand
from vaultadmin.site.demo import credentials, links, people, study, traffic


class Command(OurCommand):
    help = "Loads the demo company (idempotent). With --sync it also sends the demo's participants to eCOA."

    def add_arguments(self, parser: Any) -> None:
        """Three things it can do."""
        parser.add_argument("--sync", action="store_true", help="send the participants of the demo study to eCOA")
        parser.add_argument("--credentials", action="store_true", help="print addresses, logins and eCOA credentials")
        parser.add_argument("--json", action="store_true", help="with --credentials: as one line of JSON")

    def run(self, **options: Any) -> int:
        """Development installations only: demo passwords are kept in the data folder."""
        if settings.PRODUCTION:
            raise self.fail("The demo world is for development installations, not for production.")
        if options["credentials"]:
            return self._print_credentials(as_json=options["json"])
        kept = credentials.load_or_make()
        now = clock.now()
        people.load(kept, now=now)
        links.load(kept, now=now)
        traffic.load(now=now)
        study.load(kept, now=now)
        if options["sync"]:
            self.stdout.write(study.sync(now=now))
        return DONE

    def _print_credentials(self, *, as_json: bool) -> int:
        kept = credentials.load()
        if kept is None:
            raise self.fail("The demo world is not loaded yet; run `manage.py demo` first.")
        values = kept.as_dict()
        if as_json:
            self.print_json(values)
            return DONE
        self.stdout.write(f"{values['base_url']}\nPassword {kept.password} for:")
        for email in values["logins"]:
            self.stdout.write(f"  {email}")
        return DONE
