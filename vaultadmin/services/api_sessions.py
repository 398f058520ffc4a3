"""Sessions of the Vault REST API: made, shown once, checked on every call, ended (security.md G7, G9).

A session is bound to one vault, one person and the Client ID it was made with. It dies with the password, with the
membership, with the connection, after the idle time of the vault's settings and after 48 hours at the latest.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from django.db import transaction
from django.db.models import QuerySet

from vaultadmin import audit, registries
from vaultadmin.audit import Actor
from vaultadmin.models import ApiSession, ApiSessionOrigin, Membership, User, Vault, VaultSettings
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import ClientConnection
from vaultadmin.services import second_factor
from vaultadmin.services.tokens import TokenActor

LONGEST = timedelta(hours=48)
LENGTH = 128
_HINT_LENGTH = 8
# `last_used_at` says how long a session idles; the shortest idle time is ten minutes, so half of one is exact enough.
_USE_GRAIN = timedelta(seconds=30)
_KEEP_ENDED = timedelta(days=30)


@dataclass(frozen=True)
class Caller:
    """Who calls the API: a member, by a session with all their rights or by an API access token with its scopes."""

    member: Membership
    hint: str
    session: ApiSession | None = None
    token: TokenActor | None = None

    def can(self, permission: Permission) -> bool:
        """Do the member's profile, as it is now, and the token's scopes allow this?"""
        return self.token.can(permission) if self.token else can(self.member, permission)

    @property
    def is_trusted_peer(self) -> bool:
        """Does a peer vault, or this vault itself, use a session made for their connection? They are not filtered."""
        session = self.session
        if session is None or session.origin != ApiSessionOrigin.CONNECTION or session.connection_id is None:
            return False
        found = registries.clients.by_id(vault_id=self.member.vault_id, connection_id=session.connection_id)
        return found is not None and not found.external


@dataclass(frozen=True)
class IssuedSession:
    """A new session and the only sight of its value."""

    session: ApiSession
    raw: str


def sign_in_refusal(user: User) -> str:
    """Why a password alone opens no session for this person; empty when it does."""
    demanded = Membership.objects.filter(user=user.pk, is_active=True, profile__requires_second_factor=True)
    if second_factor.is_set_up(user) or demanded.exists():
        return "This person signs in with a second factor. Use an API access token, made under My API access tokens."
    return ""


def create(
    *,
    member: Membership,
    client_id: str,
    connection: ClientConnection | None,
    ip: str,
    now: datetime,
    origin: ApiSessionOrigin = ApiSessionOrigin.PASSWORD,
    by: Actor | None = None,
) -> IssuedSession:
    """A session for a member who has proven who they are. `connection` is the one its Client ID speaks for."""
    raw = token_hex(LENGTH // 2)
    session = ApiSession(
        membership=member,
        origin=origin,
        token_hash=_hash(raw),
        hint=raw[:_HINT_LENGTH],
        password_mark=_mark(member.user),
        client_id=client_id,
        connection_id=connection.id if connection else None,
        connection=connection.api_name if connection else "",
        ip=ip,
        created_at=now,
        last_used_at=now,
        expires_at=now + LONGEST,
    )
    with transaction.atomic():
        session.save(force_insert=True)
        changes = audit.created(session, ("hint", "origin", "client_id", "connection", "expires_at"))
        audit.record(vault=member.vault, by=by or member, event="api_session.created", subject=session, changes=changes)
    return IssuedSession(session, raw)


def authenticate(raw: str, *, now: datetime) -> Caller | None:
    """Whose session this is; None for every kind of wrong, ended or idle session alike."""
    if len(raw) != LENGTH:
        return None
    digest = _hash(raw)
    rows = ApiSession.objects.open().filter(token_hash=digest, expires_at__gt=now)
    session = rows.select_related("membership__user", "membership__vault", "membership__profile").first()
    if session is None or not hmac.compare_digest(bytes(session.token_hash), digest):
        return None
    if not _is_alive(session, now) or not _connection_lives(session):
        return None
    _note_use(session, now)
    return Caller(session.membership, session.hint, session=session)


def fits(session: ApiSession, *, client_id: str, connection: ClientConnection | None) -> bool:
    """May a call with this Client ID use this session? One of the same connection, else the very same one.

    A session made without a Client ID is bound to none; one made for a connection stays with that connection.
    """
    if session.connection_id is not None:
        by_another = connection is not None and connection.id != session.connection_id
        by_none = connection is None and session.origin == ApiSessionOrigin.PASSWORD
        return not (by_another or by_none)
    return session.client_id in ("", client_id)


def keep_alive(session: ApiSession, *, now: datetime) -> None:
    """Start the idle time anew."""
    ApiSession.objects.open().filter(pk=session.pk).update(last_used_at=now)


def end(session: ApiSession, *, by: Actor, now: datetime) -> None:
    """End a session at once; ending twice is the same as once."""
    with transaction.atomic():
        ended = ApiSession.objects.open().filter(pk=session.pk).update(ended_at=now)
        if ended:
            changes: audit.Changes = {"ended at": (None, now)}
            vault = session.membership.vault
            audit.record(vault=vault, by=by, event="api_session.ended", subject=session, changes=changes)


def end_many(sessions: Iterable[ApiSession], *, by: Membership, now: datetime) -> int:
    """End those of these sessions the member may end and nobody ended before, each with its audit row; returns how
    many."""
    numbers = [session.pk for session in sessions]
    with transaction.atomic():
        rows = ApiSession.objects.visible_to(by).open().filter(pk__in=numbers).order_by("pk")
        found = list(rows.select_for_update(of=("self",)))
        ApiSession.objects.filter(pk__in=[row.pk for row in found]).update(ended_at=now)
        for begin in range(0, len(found), audit.MAX_BATCH):
            part = found[begin : begin + audit.MAX_BATCH]
            audit.record_many(vault=by.vault, by=by, entries=[_ending(row, now) for row in part])
    return len(found)


def in_force(member: Membership, *, own: bool, now: datetime) -> QuerySet[ApiSession]:
    """The sessions a member sees that neither ended nor idled nor aged out; `own` leaves out everybody else's."""
    idle = timedelta(minutes=VaultSettings.of(member.vault).session_minutes)
    rows = ApiSession.objects.visible_to(member).open().filter(expires_at__gt=now, last_used_at__gt=now - idle)
    rows = rows.filter(membership__is_active=True, membership__user__is_active=True)
    return rows.filter(membership=member) if own else rows


def refused(sessions: Sequence[ApiSession], vault: Vault) -> set[int]:
    """Which of a vault's sessions are refused all the same: the password changed, a second factor is demanded now, or
    their connection stopped or acts through somebody else. Asks for each connection once."""
    numbers = {session.connection_id for session in sessions if session.connection_id is not None}
    found = {pk: registries.clients.by_id(vault_id=vault.pk, connection_id=pk) for pk in numbers}
    return {
        session.pk
        for session in sessions
        if not _is_its_members(session)
        or (session.connection_id is not None and not _speaks_for(session, found[session.connection_id]))
    }


def end_of_member(member: Membership, *, now: datetime) -> int:
    """End a member's sessions in their vault, inside the caller's transaction and audit row; returns how many."""
    return _end_all(ApiSession.objects.filter(membership=member), now)


def end_of_user(user: User, *, now: datetime) -> int:
    """End a person's sessions in every vault, inside the caller's transaction and audit row; returns how many."""
    return _end_all(ApiSession.objects.filter(membership__user=user.pk), now)


def end_of_connection(*, vault_id: int, connection_id: int, now: datetime) -> int:
    """End the sessions of a connection that stopped being Active, inside the caller's transaction and audit row."""
    return _end_all(ApiSession.objects.filter(membership__vault=vault_id, connection_id=connection_id), now)


def forget_old(*, now: datetime) -> int:
    """Drop sessions that ended long ago; returns how many."""
    return ApiSession.objects.filter(expires_at__lt=now - _KEEP_ENDED).delete()[0]


def last_used_vault_id(user: User) -> int | None:
    """The vault this person's programs used last."""
    rows = ApiSession.objects.filter(membership__user=user.pk).order_by("-last_used_at", "-pk")
    return rows.values_list("membership__vault", flat=True).first()


def _ending(session: ApiSession, now: datetime) -> audit.Entry:
    return audit.Entry(
        event="api_session.ended",
        subject_type=session._meta.label_lower,
        subject_id=str(session.pk),
        subject_label=str(session),
        changes={"ended at": (None, now)},
    )


def _end_all(rows: QuerySet[ApiSession], now: datetime) -> int:
    return rows.filter(ended_at__isnull=True).update(ended_at=now)


def _is_alive(session: ApiSession, now: datetime) -> bool:
    if not _is_its_members(session):
        return False
    idle = timedelta(minutes=VaultSettings.of(session.membership.vault).session_minutes)
    return session.last_used_at + idle > now


def _is_its_members(session: ApiSession) -> bool:
    """Does it still belong to somebody who may use one, with the password it was made with?"""
    member = session.membership
    if not (member.is_active and member.user.is_active):
        return False
    if not hmac.compare_digest(session.password_mark, _mark(member.user)):
        return False
    # The profile may have begun to demand a second factor, which no session of a password ever proved.
    return not member.profile.requires_second_factor


def _connection_lives(session: ApiSession) -> bool:
    """Is the connection a session belongs to still Active, and still acting through this member?"""
    if session.connection_id is None:
        return True
    vault_id = session.membership.vault_id
    return _speaks_for(session, registries.clients.by_id(vault_id=vault_id, connection_id=session.connection_id))


def _speaks_for(session: ApiSession, connection: ClientConnection | None) -> bool:
    if connection is None or not connection.active:
        return False
    return session.origin == ApiSessionOrigin.PASSWORD or connection.authorized_member_id == session.membership_id


def _note_use(session: ApiSession, now: datetime) -> None:
    if session.last_used_at < now - _USE_GRAIN:
        ApiSession.objects.filter(pk=session.pk, last_used_at__lt=now).update(last_used_at=now)


def _mark(user: User) -> str:
    return hashlib.sha256(user.get_session_auth_hash().encode()).hexdigest()


def _hash(raw: str) -> bytes:
    return hashlib.sha256(raw.encode("utf-8", "replace")).digest()
