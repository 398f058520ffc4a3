"""*Manage Signing Certificate*: which certificate signs what a connection sends (veeva-core section 11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from connections.constants import CertificateStage
from connections.models import Connection, SigningCertificate
from connections.services.creating import AUDITED
from connections.services.locking import lock_record
from connections.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure


@dataclass(frozen=True)
class Choice:
    """One certificate a connection may sign with: what it is called beside the other one, and whether it signs now."""

    certificate: SigningCertificate
    status: str
    in_use: bool


def choices(connection: Connection) -> list[Choice]:
    """The certificates this connection can sign with, newest first: two during a rollover, else one.

    In the test period the new one is offered to sandbox vaults only, so that receivers can be tried without touching
    anything that counts.
    """
    offered = [CertificateStage.ACTIVE, CertificateStage.ROLLOVER]
    if connection.vault.is_sandbox:
        offered.append(CertificateStage.TEST)
    rows = list(SigningCertificate.objects.filter(stage__in=offered).order_by("-certificate_id"))
    rolling = any(row.stage == CertificateStage.ROLLOVER for row in rows)
    words = {CertificateStage.ACTIVE: "Previous" if rolling else "Current"}
    return [Choice(row, words.get(row.stage, "New"), row.pk == connection.signing_certificate_id) for row in rows]


def choose(*, connection: Connection, certificate_id: str, by: Membership, now: datetime) -> Connection:
    """Sign with this certificate from the next message on. Choosing the one in use changes nothing."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    with transaction.atomic():
        locked = lock_record(connection, by)
        offered = choices(locked)
        if len(offered) < 2:
            raise Refused("Only one signing certificate is available now; there is nothing to choose.")
        chosen = next((one for one in offered if one.certificate.certificate_id == certificate_id), None)
        if chosen is None:
            raise Refused("This signing certificate is no longer available; choose one of those shown.")
        if chosen.in_use:
            return locked
        before = audit.snapshot(locked, AUDITED)
        locked.signing_certificate = chosen.certificate
        locked.signing_certificate_chosen_at = locked.modified_at = now
        locked.save(update_fields=["signing_certificate", "signing_certificate_chosen_at", "modified_at"])
        changes = audit.diff(before, locked, AUDITED)
        audit.record(vault=locked.vault, by=by, event="connection.certificate_chosen", subject=locked, changes=changes)
    return locked
