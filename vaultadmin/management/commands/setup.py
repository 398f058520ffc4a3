"""Prepare an installation: identity, keyring, first signing certificate, standard connections."""

from __future__ import annotations

from typing import Any

from connections.services import standard
from connections.services.signing import certificates
from vaultadmin import clock, crypto
from vaultadmin.commands import DONE
from vaultadmin.commands import Command as OurCommand
from vaultadmin.models import Vault
from vaultadmin.services import installation


class Command(OurCommand):
    help = (
        "Creates the installation's identity, keyring and first signing certificate, and brings the standard "
        "connections of every vault up to date. Safe to repeat."
    )

    def run(self, **options: Any) -> int:
        """Idempotent."""
        try:
            found = installation.prepare()
        except crypto.KeyringError as error:
            raise self.fail(str(error)) from error
        certificate = certificates.ensure_first_certificate(now=clock.now())
        for vault in Vault.objects.order_by("pk"):
            standard.load(vault, by=standard.CATALOGUE, now=clock.now())
        self.stdout.write(f"Installation {found.pk} is set up; signing certificate {certificate}.")
        return DONE
