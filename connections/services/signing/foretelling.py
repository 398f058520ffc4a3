"""Mails ahead of a change of the signing certificate, and when it has come (veeva-core section 11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.urls import reverse

from connections import conf
from connections.constants import CertificateStage
from connections.models import Connection, SigningCertificate
from connections.models.certificate import INCOMING
from vaultadmin.models import Membership, Notice
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Mail
from vaultadmin.worklist import notices

TOPIC = "connections.certificate"
_RELEASED = "released"


def tell_due(*, now: datetime) -> int:
    """Write the mails that are due about the certificate on its way; returns how many. A second run writes none."""
    certificate = SigningCertificate.objects.filter(stage__in=INCOMING).first()
    moment = _moment(certificate, now) if certificate else ""
    if certificate is None or not moment:
        return 0
    subject = f"{certificate.certificate_id}:{moment}"
    if Notice.objects.filter(topic=TOPIC, subject=subject).exists():
        return 0
    with transaction.atomic():
        people = list(_people())
        for member in people:
            notices.tell(vault=member.vault, topic=TOPIC, subject=subject, to=[member], now=now)
    return len(people)


def mail(member: Membership, subject: str, _data: dict[str, Any]) -> Mail | None:
    """The words of one mail; None when the certificate is further by now, or nothing of this person's is concerned."""
    certificate_id, _, moment = subject.partition(":")
    new = SigningCertificate.objects.filter(certificate_id=certificate_id, stage__in=INCOMING).first()
    old = SigningCertificate.objects.filter(stage=CertificateStage.ACTIVE).first()
    vaults = _vaults_of(member)
    if new is None or old is None or not vaults:
        return None
    if (new.stage == CertificateStage.ROLLOVER) != (moment == _RELEASED):
        return None
    page = f"{settings.PUBLIC_URL}{reverse('connections:certificate', args=[member.vault_id, certificate_id])}"
    concerned = "Concerned are the connections of " + ", ".join(vaults) + "."
    return _is_in_use(old, new, concerned, page) if moment == _RELEASED else _will_change(old, new, concerned, page)


def _moment(certificate: SigningCertificate, now: datetime) -> str:
    """What is to be told now: the nearest of the days ahead that has come, or that it is in use."""
    if certificate.stage == CertificateStage.ROLLOVER:
        return _RELEASED
    reached = [days for days in conf.certificate_mail_days() if certificate.release_at - now <= timedelta(days=days)]
    return str(min(reached)) if reached else ""


def _people() -> Iterator[Membership]:
    """Everybody who manages connections, once: by their first vault that has any."""
    with_connections = Connection.objects.order_by().values("vault").distinct()
    rows = Membership.objects.for_request().filter(
        vault__in=with_connections, is_active=True, user__is_active=True, user__mail_notices=True
    )
    told: set[Any] = set()
    for member in rows.order_by("vault_id", "pk"):
        if member.user_id not in told and can(member, Permission.MANAGE_CONNECTIONS):
            told.add(member.user_id)
            yield member


def _vaults_of(member: Membership) -> list[str]:
    """The vaults whose connections this person manages, each with how many there are."""
    rows = Membership.objects.for_request().filter(user=member.user_id, is_active=True).order_by("vault_id")
    managed = {row.vault_id: row.vault.name for row in rows if can(row, Permission.MANAGE_CONNECTIONS)}
    numbers = Connection.objects.filter(vault__in=managed).order_by().values_list("vault").annotate(Count("pk"))
    counted = dict(numbers)
    return [f"{name} ({counted[pk]})" for pk, name in managed.items() if pk in counted]


def _will_change(old: SigningCertificate, new: SigningCertificate, concerned: str, page: str) -> Mail:
    day = f"{new.release_at:%d %b %Y}"
    return Mail(
        f"Signing certificate {old.certificate_id} changes to {new.certificate_id} on {day}",
        (
            f"On {day} connections move to signing certificate {new.certificate_id} by themselves. {concerned}",
            "Vaults at the other end are told of it. Receivers of External connections that keep one certificate for "
            f"good need the new one before that day. Look at it, or download it:\n{page}",
        ),
    )


def _is_in_use(old: SigningCertificate, new: SigningCertificate, concerned: str, page: str) -> Mail:
    return Mail(
        f"Signing certificate {new.certificate_id} is in use",
        (
            f"Connections sign with certificate {new.certificate_id} since {new.release_at:%d %b %Y}. {concerned}",
            f"Until {new.final_at:%d %b %Y} a connection can go back to {old.certificate_id} by Manage Signing "
            f"Certificate; then {old.certificate_id} is retired.\n{page}",
        ),
    )
