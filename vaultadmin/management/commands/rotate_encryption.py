"""Re-encrypt every secret under the newest key."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction

from vaultadmin import audit, secrets
from vaultadmin.accounts import second_factors
from vaultadmin.commands import DONE, WITH_FAILURES
from vaultadmin.commands import Command as OurCommand
from vaultadmin.services.installation import SETUP


class Command(OurCommand):
    help = (
        "Re-encrypts every secret under the newest key of VAULTADMIN_ENCRYPTION_KEYS (or of the keyring file, "
        "after adding a key with --new-key). Safe while the product runs."
    )

    def add_arguments(self, parser: Any) -> None:
        """One switch."""
        parser.add_argument("--new-key", action="store_true", help="first add a fresh key to the keyring file")

    def run(self, **options: Any) -> int:
        """0 done, 1 when some secrets are under a key we do not hold."""
        if options["new_key"] and settings.ENCRYPTION_KEYS:
            raise self.fail("The keys come from VAULTADMIN_ENCRYPTION_KEYS: put the new one first there instead.")
        ring = secrets.add_key() if options["new_key"] else secrets.keyring()
        try:
            count = secrets.reseal_all() + second_factors.reseal_all()
        except secrets.SecretUnavailable as error:
            self.stderr.write(str(error))
            return WITH_FAILURES
        with transaction.atomic():
            audit.record(
                vault=None,
                by=SETUP,
                event="encryption.rotated",
                changes={"Key": (None, ring.current_key_id), "Secrets": (None, count)},
            )
        self.stdout.write(f"{count} secrets are now under key {ring.current_key_id}.")
        return DONE
