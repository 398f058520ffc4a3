"""Begin, hasten or end the rollover of the signing certificate by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from connections.constants import CertificateStage, ConnectionType
from connections.models import Connection, SigningCertificate
from connections.services.handshake import announcing
from connections.services.refusals import Refused
from connections.services.signing import renewing
from vaultadmin import audit, clock
from vaultadmin.commands import DONE
from vaultadmin.commands import Command as OurCommand

BY = audit.System("Command rotate_signing_certificate")
_STEPS = ("publish", "release", "retire", "compromised")


class Command(OurCommand):
    help = (
        "Begins the next rollover of the signing certificate now: publishes the next certificate if none is, and "
        "releases it, so that all connections sign with it while the old one stays supported for the rollover period. "
        "One option takes one step alone. Without it certificates are renewed by themselves ahead of their end."
    )

    def add_arguments(self, parser: Any) -> None:
        """At most one step, and a dry run."""
        steps = parser.add_mutually_exclusive_group()
        steps.add_argument("--publish", action="store_true", help="only publish the next certificate")
        steps.add_argument("--release", action="store_true", help="begin the rollover of the published certificate")
        steps.add_argument("--retire", action="store_true", help="end the rollover: the old certificate retires")
        steps.add_argument(
            "--compromised",
            action="store_true",
            help="somebody else may know the private key: replace it at once, without test and rollover",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would break and change nothing")
        parser.add_argument("--json", action="store_true", help="print one line of JSON instead of sentences")

    def run(self, **options: Any) -> int:
        """0 done; 2 when the step makes no sense now."""
        step = next((name for name in _STEPS if options[name]), "rotate")
        now = clock.now()
        try:
            warnings = self._warnings(step)
            certificate = self._take(step, now, keep=not options["dry_run"])
        except Refused as error:
            raise self.fail(str(error)) from error
        if not options["dry_run"]:
            renewing.settle(by=BY, now=now)
        self._tell(certificate, warnings, dry_run=options["dry_run"], as_json=options["json"])
        return DONE

    def _take(self, step: str, now: datetime, *, keep: bool) -> SigningCertificate:
        steps = {
            "publish": renewing.publish,
            "release": renewing.release,
            "retire": renewing.retire,
            "compromised": renewing.replace_compromised,
            "rotate": renewing.begin,
        }
        with transaction.atomic():
            certificate = steps[step](by=BY, now=now)
            transaction.set_rollback(not keep)
        return certificate

    def _warnings(self, step: str) -> list[str]:
        """What ends at once when the old certificate does."""
        if step not in ("retire", "compromised"):
            return []
        old = renewing.active()
        external = Connection.objects.filter(type=ConnectionType.EXTERNAL).count()
        unaware = announcing.unaware_of_a_newer_one(old).count()
        found = [f"Messages signed with {old.certificate_id} and still on their way are refused by careful receivers."]
        if external:
            found.append(f"{external} External connections: receivers that keep {old.certificate_id} must change.")
        if unaware:
            found.append(f"{unaware} Vault to Vault connections wait until the other Vault confirms the new one.")
        if step == "compromised":
            found.append(
                "Whoever has the key can announce a certificate of their own to Vaults that have not heard of ours: "
                "compare fingerprints by telephone, and reset a connection that shows another one."
            )
        return found

    def _tell(self, certificate: SigningCertificate, warnings: list[str], *, dry_run: bool, as_json: bool) -> None:
        if as_json:
            self.print_json({"dry_run": dry_run, "certificate": _facts(certificate), "warnings": warnings})
            return
        for warning in warnings:
            self.stdout.write(warning)
        ahead = "Nothing was changed. It would be so: " if dry_run else ""
        self.stdout.write(ahead + _sentence(certificate))


def _facts(certificate: SigningCertificate) -> dict[str, str]:
    return {
        "id": certificate.certificate_id,
        "stage": certificate.stage,
        "fingerprint": certificate.fingerprint,
        "release_at": certificate.release_at.isoformat(),
        "final_at": certificate.final_at.isoformat(),
    }


def _sentence(certificate: SigningCertificate) -> str:
    released, final = (f"{moment:%d %b %Y %H:%M} UTC" for moment in (certificate.release_at, certificate.final_at))
    name = f"Signing certificate {certificate.certificate_id} (SHA-256 {certificate.fingerprint})"
    if certificate.stage == CertificateStage.ROLLOVER:
        return f"{name} is released: connections sign with it, and the old one is supported until {final}."
    if certificate.stage == CertificateStage.ACTIVE:
        return f"{name} is the only one; the old one is retired."
    return f"{name} is published: connections move to it on {released}, and the old one retires on {final}."
