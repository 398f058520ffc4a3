"""Tell every peer which certificates this vault signs with, from rows until it has answered (veeva-core section 11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from connections.constants import BindingState, CertificateStage
from connections.models import Binding, CertificateAnnouncement, SigningCertificate
from connections.peering.messages import CertificateNotice, MessageType
from connections.services.handshake import exchange
from connections.services.signing import certificates
from vaultadmin import audit

RENEWAL = audit.System("Certificate renewal")


def post_missing(*, now: datetime, limit: int = 500) -> int:
    """Post every announcement a peer in force has not been sent yet, at most `limit`; returns how many."""
    posted = 0
    for binding_pk, certificate, retires in _missing(now):
        if posted == limit:
            break
        posted += _post(binding_pk, certificate, retires, now)
    return posted


def answered(message_id: UUID, *, accepted: bool, now: datetime) -> None:
    """The peer answered the announcement with this message id."""
    CertificateAnnouncement.objects.filter(message_id=message_id, answered_at__isnull=True).update(
        answered_at=now, accepted=accepted
    )


def unaware_of_a_newer_one(certificate: SigningCertificate) -> QuerySet[Binding]:
    """Bindings in force whose peer holds this certificate or an older one and has confirmed none that came after."""
    newer = CertificateAnnouncement.objects.filter(
        binding=OuterRef("pk"), accepted=True, certificate__certificate_id__gt=certificate.certificate_id
    )
    rows: QuerySet[Binding] = Binding.objects.in_force()
    return rows.filter(~Exists(newer), own_certificate__certificate_id__lte=certificate.certificate_id)


def _missing(now: datetime) -> Iterator[tuple[int, SigningCertificate, SigningCertificate | None]]:
    """What is to be told to whom: first the newest certificate to all, then each retirement to those it concerns."""
    newest = SigningCertificate.objects.exclude(stage=CertificateStage.RETIRED).order_by("-certificate_id").first()
    if newest is None:
        return
    told = CertificateAnnouncement.objects.filter(binding=OuterRef("pk"), certificate=newest, retires=None)
    unaware = Binding.objects.in_force().filter(~Q(own_certificate=newest), ~Exists(told))
    yield from ((pk, newest, None) for pk in _keys(unaware))
    for retired in SigningCertificate.objects.filter(stage=CertificateStage.RETIRED, not_after__gt=now):
        gone = CertificateAnnouncement.objects.filter(binding=OuterRef("pk"), retires=retired)
        knew = CertificateAnnouncement.objects.filter(binding=OuterRef("pk"), certificate=retired)
        concerned = Binding.objects.in_force().filter(Q(own_certificate=retired) | Exists(knew), ~Exists(gone))
        yield from ((pk, certificates.current(), retired) for pk in _keys(concerned))


def _keys(bindings: QuerySet[Binding]) -> list[int]:
    return list(bindings.order_by("pk").values_list("pk", flat=True))


def _post(binding_pk: int, certificate: SigningCertificate, retires: SigningCertificate | None, now: datetime) -> bool:
    """Post one announcement, unless another worker did or the binding ended meanwhile."""
    with transaction.atomic():
        binding = exchange.lock(binding_pk)
        if binding is None or binding.state != BindingState.IN_FORCE:
            return False
        if binding.announcements.filter(certificate=certificate, retires=retires).exists():
            return False
        notice = CertificateNotice(
            exchange=binding.exchange,
            certificate_id=certificate.certificate_id,
            certificate_pem=certificate.pem,
            in_use_from=certificate.release_at,
            retired_id=retires.certificate_id if retires else "",
        )
        message = exchange.post(binding, MessageType.CERTIFICATE, notice, now=now)
        binding.announcements.create(
            certificate=certificate, retires=retires, message_id=message.message_id, posted_at=now
        )
        changes: audit.Changes = {"Certificate ID": (notice.retired_id or None, notice.certificate_id)}
        audit.record(
            vault=binding.connection.vault,
            by=RENEWAL,
            event="connection.certificate_announced",
            subject=binding.connection,
            changes=changes,
        )
    return True
