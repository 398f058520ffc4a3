"""What ends soon or has been in use for long, among the things a person of a vault can renew."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, F, Max, OuterRef, Q, QuerySet, When
from django.db.models.functions import Greatest
from django.urls import reverse

from connections import conf
from connections.constants import CertificateStage, RecordStatus
from connections.models import Binding, ConnectionAuthorization, IssuedFile, PeerCertificate, SigningCertificate
from connections.models.connection import Connection
from vaultadmin import registries
from vaultadmin.models import ApiToken, Installation, Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Expiring
from vaultadmin.standing import standing_for
from vaultadmin.together import Asking, together

_MOST = 100


def soon(member: Membership, *, now: datetime) -> Asking[list[Expiring]]:
    """Everything this person sees that ends within its notice or is too old, the most urgent first."""
    own, others, old = yield from together(
        [_certificates(member, now), _with_an_end(member, now), _secrets(member, now)]
    )
    return [*sorted([*own, *others], key=_when), *old]


def credentials(member: Membership, *, now: datetime) -> Asking[list[Expiring]]:
    """The same without the installation's own certificates, which renew themselves."""
    ending, old = yield from together([_with_an_end(member, now), _secrets(member, now)])
    return [*sorted(ending, key=_when), *old]


def _with_an_end(member: Membership, now: datetime) -> Asking[list[Expiring]]:
    sources = [_peers, _files, _tokens, *registries.expiring]
    found = yield from together([source(member, now) for source in sources])
    return [one for each in found for one in each]


def _when(one: Expiring) -> datetime:
    return one.at


def _certificates(member: Membership, now: datetime) -> Asking[list[Expiring]]:
    if not can(member, Permission.CONNECTION_READ):
        return []
    ending = SigningCertificate.objects.exclude(stage=CertificateStage.RETIRED).filter(
        not_after__lte=now + conf.certificate_periods().notice
    )
    (rows,) = yield (ending,)
    return [
        Expiring(
            "Signing certificate",
            row.certificate_id,
            row.not_after,
            True,
            "Renewed by the installation itself.",
            reverse("connections:certificate", args=[member.vault_id, row.certificate_id]),
        )
        for row in rows
    ]


@standing_for
def _ending_peers(member: Membership, *, until: datetime) -> QuerySet[Any]:
    """Those whose last certificate ends: the one of the connection file, or what was announced since.

    Vaults of this installation are left out: they sign with our own certificates.
    """
    announced = Max("peer_certificates__not_after", filter=Q(peer_certificates__retired_at=None))
    told_of = PeerCertificate.objects.filter(binding=OuterRef("pk"), certificate_id=OuterRef("peer_certificate_id"))
    pinned = Case(When(~Exists(told_of), then=F("peer_certificate_not_after")))
    rows: QuerySet[Any] = (
        Binding.objects.in_force()
        .filter(connection__in=Connection.objects.visible_to(member))
        .exclude(peer_installation_id__in=Installation.objects.values("pk"))
        .annotate(last_end=Greatest(announced, pinned))
        .filter(last_end__lte=until)
        .select_related("connection")
        .order_by("last_end", "pk")
    )
    return rows[:_MOST]


def _peers(member: Membership, now: datetime) -> Asking[list[Expiring]]:
    (found,) = yield (_ending_peers(member, until=now + conf.certificate_periods().notice),)
    return [
        Expiring(
            "Certificate of a peer",
            row.peer_name,
            row.last_end,
            True,
            "The other Vault announces the next one; ask there if it does not.",
            _record_url(row.connection),
        )
        for row in found
    ]


@standing_for
def _ending_files(member: Membership, *, now: datetime, until: datetime) -> QuerySet[IssuedFile]:
    rows = IssuedFile.objects.filter(
        connection__in=Connection.objects.visible_to(member),
        used_at=None,
        revoked_at=None,
        expires_at__gt=now,
        expires_at__lte=until,
    )
    return rows.select_related("connection")[:_MOST]


def _files(member: Membership, now: datetime) -> Asking[list[Expiring]]:
    (found,) = yield (_ending_files(member, now=now, until=now + conf.file_notice()),)
    return [
        Expiring(
            "Connection file",
            row.connection.name,
            row.expires_at,
            True,
            "Have it uploaded in the other Vault, or download a new one.",
            _record_url(row.connection),
        )
        for row in found
    ]


@standing_for
def _ending_tokens(member: Membership, *, now: datetime, until: datetime) -> QuerySet[ApiToken]:
    """One's own; who administers users sees everybody's of the vault."""
    rows = ApiToken.objects.filter(revoked_at=None, expires_at__gt=now, expires_at__lte=until)
    everybody = can(member, Permission.ADMIN_USERS)
    rows = rows.filter(membership__vault=member.vault_id) if everybody else rows.filter(membership=member.pk)
    return rows.select_related("membership__user")[:_MOST]


def _tokens(member: Membership, now: datetime) -> Asking[list[Expiring]]:
    (found,) = yield (_ending_tokens(member, now=now, until=now + conf.token_notice()),)
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
        for row in found
    ]


@standing_for
def _old_secrets(member: Membership, *, since: datetime) -> QuerySet[ConnectionAuthorization]:
    visible: QuerySet[ConnectionAuthorization] = ConnectionAuthorization.objects.visible_to(member)
    rows = visible.filter(status=RecordStatus.ACTIVE, secret__changed_at__lte=since)
    return rows.select_related("secret").order_by("secret__changed_at")[:_MOST]


def _secrets(member: Membership, now: datetime) -> Asking[list[Expiring]]:
    (found,) = yield (_old_secrets(member, since=now - conf.secret_age()),)
    return [
        Expiring(
            f"{row.secret_label} of an authorization",
            row.name,
            row.secret.changed_at,
            False,
            "Replace it here and in the external system.",
            reverse("connections:authorization", args=[member.vault_id, row.pk]),
        )
        for row in found
        if row.secret is not None
    ]


def _record_url(connection: Connection) -> str:
    return reverse("connections:record", args=[connection.vault_id, connection.api_name])
