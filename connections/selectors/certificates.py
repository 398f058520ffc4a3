"""Signing certificates as the pages show them: stages, what uses them, what is to come, what peers know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from connections import conf, rollover, signed_json
from connections.constants import CertificateStage
from connections.models import Binding, CertificateAnnouncement, Connection, PeerCertificate, SigningCertificate
from connections.models.certificate import INCOMING
from vaultadmin.models import Membership
from vaultadmin.together import Asking


@dataclass(frozen=True)
class Change:
    """The change of certificate that lies ahead or is under way, seen from one vault."""

    old: SigningCertificate
    new: SigningCertificate
    moving: int
    released: bool


@dataclass(frozen=True)
class PeerRow:
    """A certificate the peer of a connection signs with: `retired_at` once it no longer does."""

    certificate_id: str
    fingerprint: str
    since: datetime
    not_after: datetime
    retired_at: datetime | None


def certificates(member: Membership) -> QuerySet[SigningCertificate]:
    """All of the installation's, newest first, each with how many connections of the member's vault sign with it."""
    mine = Q(connections__in=Connection.objects.visible_to(member))
    return SigningCertificate.objects.annotate(uses=Count("connections", filter=mine)).order_by("-certificate_id")


def find(member: Membership, certificate_id: str) -> SigningCertificate | None:
    """One certificate by its five digits."""
    return certificates(member).filter(certificate_id=certificate_id).first()


def uses(member: Membership, certificate: SigningCertificate) -> QuerySet[Connection]:
    """The connections of the member's vault that sign with it."""
    rows: QuerySet[Connection] = Connection.objects.visible_to(member)
    return rows.filter(signing_certificate=certificate).order_by("name", "pk")


def change_ahead(member: Membership) -> Asking[Change | None]:
    """The certificate on its way, with how many of the vault's connections move or have moved; None while there is
    none."""
    rows: QuerySet[Connection] = Connection.objects.visible_to(member)
    signing = rows.order_by().values_list("signing_certificate").annotate(number=Count("pk"))
    incoming, active, uses = yield SigningCertificate.objects.filter(stage__in=INCOMING)[:1], in_use(), signing
    if not incoming or not active:
        return None
    new, numbers = incoming[0], dict(uses)
    released = new.stage == CertificateStage.ROLLOVER
    moving = numbers.get(new.pk, 0) if released else sum(numbers.values())
    return Change(active[0], new, moving, released)


def in_use() -> QuerySet[SigningCertificate]:
    """The one the installation signs with; none before it has been set up."""
    return SigningCertificate.objects.filter(stage=CertificateStage.ACTIVE)[:1]


def next_publication(certificate: SigningCertificate) -> datetime:
    """When the successor of the active certificate will be published."""
    return rollover.publish_at(certificate.not_after, conf.certificate_periods())


def unconfirmed(member: Membership, certificate: SigningCertificate) -> QuerySet[CertificateAnnouncement]:
    """Peers of the vault that were told of the certificate and have not confirmed it."""
    return (
        CertificateAnnouncement.objects.filter(
            certificate=certificate,
            retires=None,
            binding__in=Binding.objects.in_force(),
            binding__connection__in=Connection.objects.visible_to(member),
        )
        .exclude(accepted=True)
        .select_related("binding__connection")
        .order_by("binding__connection__name", "pk")
    )


def stages(certificate: SigningCertificate) -> list[dict[str, Any]]:
    """The stages of a certificate as `components/timeline.html` reads them."""
    reached = list(CertificateStage).index(CertificateStage(certificate.stage))
    steps = [
        ("Published", certificate.published_at, "Receivers can download it and prepare."),
        ("Test", certificate.test_at, "Connections of sandbox Vaults can sign with it."),
        ("Rollover", certificate.release_at, "Connections sign with it; both certificates are supported."),
        ("Active", certificate.final_at, "It is the only one; the one before it is retired."),
    ]
    if certificate.published_at == certificate.final_at:
        # The first of an installation, or one that replaced a compromised key: there was nothing in between.
        steps = [("Active", certificate.final_at, "Signs every outbound message.")]
        reached = max(reached - 3, 0)
    events = [
        {"title": title, "text": text, "at": at, "state": _place(number, reached, last=len(steps) - 1)}
        for number, (title, at, text) in enumerate(steps)
    ]
    if certificate.retired_at is not None:
        text = f"{certificate.retired_reason} It stays downloadable, so that old messages can be verified again."
        events.append({"title": "Retired", "text": text, "at": certificate.retired_at, "state": "done"})
    return events


def of_the_peer(binding: Binding) -> Asking[list[PeerRow]]:
    """The certificates of the vault at the other end of an exchange, the one its file pinned first."""
    (announced,) = yield (binding.peer_certificates.all(),)
    rows = [_row(row) for row in announced]
    if all(row.certificate_id != binding.peer_certificate_id for row in announced):
        pinned = signed_json.read_certificate(binding.peer_certificate_pem)
        first = PeerRow(
            binding.peer_certificate_id,
            signed_json.fingerprint(pinned),
            binding.requested_at,
            pinned.not_valid_after_utc,
            None,
        )
        rows.insert(0, first)
    return sorted(rows, key=lambda row: row.since)


def _row(row: PeerCertificate) -> PeerRow:
    return PeerRow(row.certificate_id, row.fingerprint, row.added_at, row.not_after, row.retired_at)


def _place(number: int, reached: int, *, last: int) -> str:
    if number == reached:
        return "done" if number == last else "current"
    return "done" if number < reached else "future"
