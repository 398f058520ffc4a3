"""Give out and take back connection files (veeva-core section 3 rule 1)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.crypto import salted_hmac

from connections import conf, connection_file
from connections.connection_file import ConnectionFile, FileConnection
from connections.constants import ConnectionState
from connections.models import Connection, IssuedFile
from connections.services.handshake import parties
from connections.services.locking import lock_record
from connections.services.refusals import Refused
from connections.services.signing import certificates
from vaultadmin import audit, place
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

REPLACED = "A newer file was downloaded."


@dataclass(frozen=True)
class Download:
    """The bytes a person takes away, and the row that remembers them."""

    issued: IssuedFile
    content: bytes
    file_name: str


def download_refusal(connection: Connection) -> str:
    """Why no file can be downloaded now, in one sentence; empty when it can."""
    if not connection.is_vault_to_vault:
        return "Only Vault to Vault connections have a connection file."
    if connection.state not in (ConnectionState.PENDING, ConnectionState.DISCONNECTED):
        return f"This connection is {connection.get_state_display()}; a file is only given out while it is Pending."
    if connection.is_being_agreed_on():
        return "A request to establish this connection is running; complete or withdraw it first."
    return ""


def issue(*, connection: Connection, file_id: UUID, by: Membership, now: datetime) -> Download:
    """Issue a connection file, which makes every earlier one of this record worthless.

    `file_id` comes from the dialog, so that a second click on the same dialog gives the same file again.
    """
    ensure(by, Permission.MANAGE_CONNECTIONS)
    if place.held():
        raise Refused(place.HELD)
    with transaction.atomic():
        locked = lock_record(connection, by)
        if refusal := download_refusal(locked):
            raise Refused(refusal)
        if again := IssuedFile.objects.filter(pk=file_id).first():
            return _again(again, locked, by, now)
        return _issue(locked, file_id, by, now)


def revoke(*, issued: IssuedFile, by: Membership, now: datetime) -> IssuedFile:
    """Take a file back that was not used yet."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    with transaction.atomic():
        connection = lock_record(issued.connection, by)
        locked = IssuedFile.objects.select_for_update().get(pk=issued.pk)
        if locked.used_at is not None:
            raise Refused("This file was already used by the other Vault; it cannot be revoked any more.")
        if locked.revoked_at is None:
            _revoke(locked, connection, by, now, reason="Revoked by a person.")
    return locked


def revoke_open(connection: Connection, *, by: audit.Actor, now: datetime, reason: str) -> None:
    """End the file that is out, if any; the caller holds the connection's lock."""
    for issued in connection.issued_files.filter(used_at__isnull=True, revoked_at__isnull=True):
        _revoke(issued, connection, by, now, reason=reason)


def nonce_of(file_id: UUID) -> bytes:
    """The nonce of a file: known to this installation only, and never stored."""
    return salted_hmac("connections.file_nonce", str(file_id), algorithm="sha256").digest()


def nonce_hash(nonce: bytes) -> bytes:
    """What is kept of a nonce."""
    return hashlib.sha256(nonce).digest()


def _issue(connection: Connection, file_id: UUID, by: Membership, now: datetime) -> Download:
    revoke_open(connection, by=by, now=now, reason=REPLACED)
    now = now.replace(microsecond=0)
    connection.file_generation += 1
    if connection.state == ConnectionState.DISCONNECTED:
        connection.reopen()
    connection.save()
    issued = IssuedFile(
        file_id=file_id,
        connection=connection,
        generation=connection.file_generation,
        certificate=connection.signing_certificate,
        nonce_hash=nonce_hash(nonce_of(file_id)),
        remote_vault_id=connection.remote_vault_id,
        issued_by=by,
        issued_at=now,
        expires_at=now + conf.file_lifetime(),
    )
    content = _write(issued, connection)
    issued.sha256 = hashlib.sha256(content).hexdigest()
    issued.save(force_insert=True)
    changes: audit.Changes = {"Generation": (None, issued.generation), "Expires": (None, issued.expires_at)}
    audit.record(vault=connection.vault, by=by, event="connection_file.downloaded", subject=connection, changes=changes)
    return Download(issued, content, _file_name(connection))


def _again(issued: IssuedFile, connection: Connection, by: Membership, now: datetime) -> Download:
    """The same dialog was submitted twice: the same bytes, if they are still good."""
    if issued.connection_id == connection.pk and issued.issued_by_id == by.pk and issued.is_open(now):
        content = _write(issued, connection)
        if hashlib.sha256(content).hexdigest() == issued.sha256:
            return Download(issued, content, _file_name(connection))
    raise Refused("This dialog has already given out its file; open it again to download a new one.")


def _write(issued: IssuedFile, connection: Connection) -> bytes:
    certificate = issued.certificate
    file = ConnectionFile(
        file_id=issued.file_id,
        generation=issued.generation,
        issued_at=issued.issued_at,
        expires_at=issued.expires_at,
        nonce=nonce_of(issued.file_id),
        source=parties.file_source(connection.vault),
        connection=FileConnection(
            id=connection.record_id,
            name=connection.name,
            api_name=connection.api_name,
            object_type=connection.type,
            system_managed=connection.system_managed,
            standard_key=connection.standard_key or None,
        ),
        remote_vault_id=issued.remote_vault_id,
        certificate_id=certificate.certificate_id,
        certificate_pem=certificate.pem,
    )
    return connection_file.write(file, certificates.private_key(certificate))


def _revoke(issued: IssuedFile, connection: Connection, by: audit.Actor, now: datetime, *, reason: str) -> None:
    issued.revoked_at, issued.revoked_reason = now, reason
    issued.revoked_by = by if isinstance(by, Membership) else None
    issued.save(update_fields=["revoked_at", "revoked_reason", "revoked_by"])
    changes: audit.Changes = {"Generation": (issued.generation, None)}
    audit.record(
        vault=connection.vault,
        by=by,
        event="connection_file.revoked",
        subject=connection,
        changes=changes,
        reason=reason,
    )


def _file_name(connection: Connection) -> str:
    return f"{connection.api_name}.connection.json"
