"""What ends soon or has been in use for long, among the things a person of a vault can renew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from connections import conf
from connections.constants import CertificateStage, RecordStatus
from connections.models import ConnectionAuthorization, IssuedFile, PeerCertificate, SigningCertificate
from connections.models.connection import Connection
from vaultadmin.models import ApiToken, Membership
from vaultadmin.permissions import Permission, can

_MOST = 100


@dataclass(frozen=True)
class Expiring:
    """One thing: what it is, when it ends (or for a secret, since when it has been in use), what to do about it."""

    kind: str
    label: str
    at: datetime
    is_end: bool
    advice: str
    url: str


def soon(member: Membership, *, now: datetime) -> list[Expiring]:
    """Everything this person sees that ends within its notice or is too old, the most urgent first."""
    found = [*_certificates(member, now), *_peers(member, now), *_files(member, now), *_tokens(member, now)]
    return [*sorted(found, key=lambda one: one.at), *_secrets(member, now)]


def credentials(member: Membership, *, now: datetime) -> list[Expiring]:
    """The same without the installation's own certificates, which renew themselves."""
    found = [*_peers(member, now), *_files(member, now), *_tokens(member, now)]
    return [*sorted(found, key=lambda one: one.at), *_secrets(member, now)]


def _certificates(member: Membership, now: datetime) -> list[Expiring]:
    if not can(member, Permission.CONNECTION_READ):
        return []
    ending = SigningCertificate.objects.exclude(stage=CertificateStage.RETIRED).filter(
        not_after__lte=now + conf.certificate_periods().notice
    )
    return [
        Expiring(
            "Signing certificate",
            row.certificate_id,
            row.not_after,
            True,
            "Renewed by the installation itself.",
            reverse("connections:certificate", args=[member.vault_id, row.certificate_id]),
        )
        for row in ending
    ]


def _peers(member: Membership, now: datetime) -> list[Expiring]:
    """Announced certificates of peers that end before the peer has announced another."""
    rows = PeerCertificate.objects.filter(
        binding__state="in_force",
        binding__connection__in=Connection.objects.visible_to(member),
        retired_at=None,
        not_after__lte=now + conf.certificate_periods().notice,
    ).select_related("binding__connection")
    return [
        Expiring(
            "Certificate of a peer",
            f"{row.certificate_id} of {row.binding.peer_name}",
            row.not_after,
            True,
            "The other Vault announces the next one; ask there if it does not.",
            _record_url(row.binding.connection),
        )
        for row in rows[:_MOST]
    ]


def _files(member: Membership, now: datetime) -> list[Expiring]:
    rows = IssuedFile.objects.filter(
        connection__in=Connection.objects.visible_to(member),
        used_at=None,
        revoked_at=None,
        expires_at__gt=now,
        expires_at__lte=now + conf.file_notice(),
    ).select_related("connection")
    return [
        Expiring(
            "Connection file",
            row.connection.name,
            row.expires_at,
            True,
            "Have it uploaded in the other Vault, or download a new one.",
            _record_url(row.connection),
        )
        for row in rows[:_MOST]
    ]


def _tokens(member: Membership, now: datetime) -> list[Expiring]:
    """One's own; who administers users sees everybody's of the vault."""
    rows = ApiToken.objects.filter(revoked_at=None, expires_at__gt=now, expires_at__lte=now + conf.token_notice())
    everybody = can(member, Permission.ADMIN_USERS)
    rows = rows.filter(membership__vault=member.vault_id) if everybody else rows.filter(membership=member)
    return [
        Expiring(
            "API access token",
            f"{row.name} of {row.membership.user.name}",
            row.expires_at,
            True,
            "Its owner makes a new one and changes the program that uses it.",
            reverse("vault:tokens", args=[member.vault_id])
            if row.membership_id == member.pk
            else reverse("vault:user", args=[member.vault_id, row.membership_id]),
        )
        for row in rows.select_related("membership__user")[:_MOST]
    ]


def _secrets(member: Membership, now: datetime) -> list[Expiring]:
    rows = ConnectionAuthorization.objects.visible_to(member).filter(
        status=RecordStatus.ACTIVE, secret__changed_at__lte=now - conf.secret_age()
    )
    return [
        Expiring(
            f"{row.secret_label} of an authorization",
            row.name,
            row.secret.changed_at,
            False,
            "Replace it here and in the external system.",
            reverse("connections:authorization", args=[member.vault_id, row.pk]),
        )
        for row in rows.select_related("secret").order_by("secret__changed_at")[:_MOST]
        if row.secret is not None
    ]


def _record_url(connection: Connection) -> str:
    return reverse("connections:record", args=[connection.vault_id, connection.api_name])
