"""Move connections to the certificate that rules, in batches (veeva-core section 11)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from connections.constants import CertificateStage
from connections.models import Connection, SigningCertificate
from connections.services.signing import certificates
from vaultadmin import audit

BATCH = 500


def to_move(ruling: SigningCertificate) -> QuerySet[Connection]:
    """Connections that do not sign with the ruling certificate and should.

    Left alone is who was switched by a person since the release, until what they chose is retired.
    """
    retired = list(SigningCertificate.objects.filter(stage=CertificateStage.RETIRED).values_list("pk", flat=True))
    chosen_before = Q(signing_certificate_chosen_at__isnull=True) | Q(
        signing_certificate_chosen_at__lt=ruling.release_at
    )
    should = chosen_before | Q(signing_certificate__in=retired)
    rows: QuerySet[Connection] = Connection.objects.exclude(signing_certificate=ruling).filter(should)
    return rows


def move_connections(*, by: audit.Actor, now: datetime) -> int:
    """Give every connection of every vault its certificate; returns how many moved. A second run finds none."""
    moved = 0
    while batch := _move_batch(by, now):
        moved += batch
    return moved


def _move_batch(by: audit.Actor, now: datetime) -> int:
    """Some connections of one vault: their rows first and the vault's chain after, as everywhere."""
    with transaction.atomic():
        ruling = certificates.current()
        due = to_move(ruling)
        first = due.order_by("vault_id", "pk").select_related("vault").first()
        if first is None:
            return 0
        found = due.filter(vault=first.vault_id).select_related("signing_certificate").order_by("pk")
        rows = list(found.select_for_update(of=("self",))[:BATCH])
        reason = f"{ruling} was released."
        audit.record_many(vault=first.vault, by=by, entries=[_entry(row, ruling, reason) for row in rows])
        Connection.objects.filter(pk__in=[row.pk for row in rows]).update(
            signing_certificate=ruling, signing_certificate_chosen_at=None, modified_at=now
        )
    # Rows another worker moved meanwhile are no reason to stop before the next vault.
    return max(len(rows), 1)


def _entry(connection: Connection, ruling: SigningCertificate, reason: str) -> audit.Entry:
    label = str(Connection._meta.get_field("signing_certificate").verbose_name)
    return audit.Entry(
        event="connection.certificate_moved",
        subject_type=connection._meta.label_lower,
        subject_id=str(connection.pk),
        subject_label=str(connection),
        changes={label: (str(connection.signing_certificate), str(ruling))},
        reason=reason,
    )
