"""Connect from File: from the list (creates the record) or from a record (binds it) (veeva-core section 3)."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery

from connections import conf, connection_file
from connections.connection_file import ConnectionFile, ConnectionFileError
from connections.constants import BindingState, ConnectionState, ConnectionType, Side
from connections.models import Binding, Connection
from connections.peering.addresses import AddressRefused, check_peering_url
from connections.peering.messages import Connect, MessageType, Outcome
from connections.services import creating, names, standard
from connections.services.handshake import delivering, exchange, parties
from connections.services.handshake.pinning import contradicts
from connections.services.locking import lock_record
from connections.services.refusals import Refused
from connections.services.signing import certificates
from vaultadmin import audit
from vaultadmin.models import Installation, Membership
from vaultadmin.permissions import Permission, can, ensure

USED = "This connection file was already used; it works only once. Ask for a new file."


class FileRefused(Refused):
    """The connection file cannot be used here; nothing was stored but the audit row."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, field="file")


def connect_from_file(*, raw: bytes, by: Membership, now: datetime, connection: Connection | None = None) -> Binding:
    """Use a connection file, and tell the source at once if it can be reached.

    Without `connection` the record is taken that was bound to the source's record before, or is made for it; else one
    is created that copies the source's name. Returns the binding: IN_FORCE when the
    file named this vault, APPROVING when people decide next, PROPOSED while the other vault has not answered.
    """
    ensure(by, Permission.MANAGE_CONNECTIONS)
    try:
        file = _judge(raw, by, now)
        message_pk, binding_pk = _propose(file, connection, by, now)
    except Refused as refusal:
        _audit_refusal(connection, by, str(refusal))
        raise
    delivery = delivering.deliver_one(message_pk, now=now)
    if delivery.outcome is Outcome.REFUSED:
        _undo(binding_pk, by, delivery.sentence)
        raise FileRefused(delivery.sentence)
    binding: Binding | None = Binding.objects.select_related("connection").filter(pk=binding_pk).first()
    if binding is None:
        raise FileRefused("Somebody deleted this connection meanwhile.")
    return binding


def connect_refusal(connection: Connection) -> str:
    """Why this record cannot be connected from a file now, in one sentence; empty when it can."""
    if not connection.is_vault_to_vault:
        return "Only Vault to Vault connections are established with a connection file."
    if connection.state in (ConnectionState.APPROVED, ConnectionState.INACTIVE):
        return f"This connection is {connection.get_state_display()}; it cannot be connected from a file now."
    if connection.is_being_agreed_on():
        return "A request to establish this connection is already running; complete or withdraw it first."
    return ""


def _judge(raw: bytes, by: Membership, now: datetime) -> ConnectionFile:
    """The checks that need no record, in the documented order."""
    try:
        file = connection_file.read(raw)
    except ConnectionFileError as error:
        raise FileRefused(str(error)) from error
    _check_trust(file)
    if now >= file.expires_at:
        raise FileRefused("This connection file has expired. Ask for a new file.")
    if file.issued_at > now + conf.peer_clock_tolerance():
        raise FileRefused("This connection file comes from the future: compare the clocks of the two Vaults.")
    if Binding.objects.filter(exchange=file.file_id, side=Side.TARGET).exclude(state=BindingState.REFUSED).exists():
        raise FileRefused(USED)
    if (file.source.installation_id, file.source.vault_id) == (Installation.current().pk, by.vault_id):
        raise FileRefused("This connection file was made by this Vault; upload it in the other Vault.")
    if file.remote_vault_id not in (None, by.vault_id):
        raise FileRefused(f"This connection file was made for Vault {file.remote_vault_id}; upload it there.")
    if file.needs_approval and not can(by, Permission.WORKFLOW_START):
        label = Permission.WORKFLOW_START.label
        raise FileRefused(f"This file starts an Approval Workflow, for which you need the permission “{label}”.")
    return file


def _check_trust(file: ConnectionFile) -> None:
    """A vault of this installation signs with our own key; nothing else may speak in its name.

    Another installation signs with its own, and gives an address that is judged here before anything is called.
    """
    source = file.source
    if source.installation_id == Installation.current().pk:
        trusted = certificates.is_ours(file.certificate_id, file.certificate_pem)
    else:
        trusted = not contradicts(source.installation_id, file.certificate_id, file.certificate_pem)
        _check_address(source.peering_url)
    if not trusted:
        raise FileRefused("This connection file is not signed with the key of the Vault it names.")


def _check_address(peering_url: str) -> None:
    try:
        check_peering_url(peering_url)
    except AddressRefused as error:
        raise FileRefused(f"The address in this connection file, {peering_url}, cannot be called: {error}") from error


def _propose(file: ConnectionFile, connection: Connection | None, by: Membership, now: datetime) -> tuple[int, int]:
    """Store the record, the binding and the message that is due, all or nothing."""
    try:
        with transaction.atomic():
            own = connection or _standard_record(file, by) or _record_of_before(file, by)
            record = _create(file, by, now) if own is None else _take(own, file, by)
            binding = _binding(file, record, by, now, creates_record=own is None)
            message = exchange.post(binding, MessageType.CONNECT, _connect(file, binding, by), now=now)
            changes: audit.Changes = {
                "Source Vault": (None, f"{file.source.vault_id} {file.source.vault_name}"),
                "Source record": (None, file.connection.id),
                "File": (None, file.sha256),
            }
            audit.record(vault=by.vault, by=by, event="connection_file.uploaded", subject=record, changes=changes)
    except IntegrityError as error:
        # The same file, uploaded twice at the same moment: the other upload won.
        raise FileRefused(USED) from error
    return message.pk, binding.pk


def _create(file: ConnectionFile, by: Membership, now: datetime) -> Connection:
    connection: Connection = Connection(
        vault=by.vault,
        type=ConnectionType.VAULT_TO_VAULT,
        state=ConnectionState.PENDING,
        name=file.connection.name,
        api_name=names.free(by.vault, _customer_name(file)),
        signing_certificate=certificates.current(),
        created_at=now,
        modified_at=now,
    )
    names.check(by.vault, connection.api_name, standard=False)
    creating.add(connection, by=by, reason="Connect from File")
    return connection


def _standard_record(file: ConnectionFile, by: Membership) -> Connection | None:
    """Our own record of the standard connection the file is about, if one is free: it is made for exactly this."""
    if file.connection.standard_key is None:
        return None
    rows = Connection.objects.filter(vault=by.vault, standard_key=file.connection.standard_key)
    free = [row for row in rows.order_by("standard_instance") if not connect_refusal(row) and not _is_in_use(row, file)]
    return next((row for row in free if not standard.pairing_refusal(row, file)), None)


def _record_of_before(file: ConnectionFile, by: Membership) -> Connection | None:
    """Our record that had to do with the file's record last: a new file binds it anew (veeva-core section 12.1).

    One whose request was rejected, withdrawn or reset waits for just this; a second one would only lie beside it.
    """
    theirs = {
        "peer_installation_id": file.source.installation_id,
        "peer_vault_id": file.source.vault_id,
        "peer_connection_id": file.connection.id,
    }
    asked = Binding.objects.filter(connection=OuterRef("pk")).exclude(state=BindingState.REFUSED).order_by("-pk")
    rows = Connection.objects.filter(vault=by.vault).annotate(last=Subquery(asked.values("pk")[:1]))
    row: Connection | None = rows.filter(last__in=Binding.objects.filter(**theirs)).order_by("-pk").first()
    if row is None or row.remote_vault_id not in (None, file.source.vault_id):
        return None
    if refusal := connect_refusal(row):
        raise FileRefused(f"This file belongs to “{row}”, a connection this Vault has already. {refusal}")
    return row


def _is_in_use(connection: Connection, file: ConnectionFile) -> bool:
    """Is it established, or meant for another vault than the file's?"""
    wanted = connection.remote_vault_id
    return connection.state == ConnectionState.ACTIVE or wanted not in (None, file.source.vault_id)


def _customer_name(file: ConnectionFile) -> str:
    """Only standard records may hold a hyphen, and what is created here is none."""
    return file.connection.api_name.replace("-", "_")


def _take(connection: Connection, file: ConnectionFile, by: Membership) -> Connection:
    locked = lock_record(connection, by)
    if refusal := connect_refusal(locked) or standard.pairing_refusal(locked, file):
        raise FileRefused(refusal)
    wanted = locked.remote_vault_id
    if locked.state == ConnectionState.ACTIVE:
        current = locked.bindings.in_force().first()
        if current is None or current.peer.vault_id != file.source.vault_id:
            raise FileRefused("This connection is Active with another Vault; reset it before you connect it anew.")
        if current.peer.installation_id != file.source.installation_id:
            raise FileRefused("This connection is Active with a Vault of another installation.")
        if current.peer_connection_id != file.connection.id:
            raise FileRefused(
                "This connection is Active with another record of that Vault; reset it before you connect it anew."
            )
    elif wanted is not None and wanted != file.source.vault_id:
        raise FileRefused(f"This record's Remote Vault ID is {wanted}, but the file comes from {file.source.vault_id}.")
    return locked


def _binding(
    file: ConnectionFile, connection: Connection, by: Membership, now: datetime, *, creates_record: bool
) -> Binding:
    binding: Binding = Binding(
        connection=connection,
        exchange=file.file_id,
        side=Side.TARGET,
        state=BindingState.PROPOSED,
        needs_approval=file.needs_approval,
        creates_record=creates_record,
        own_certificate=connection.signing_certificate,
        peer_installation_id=file.source.installation_id,
        peer_vault_id=file.source.vault_id,
        peer_connection_id=file.connection.id,
        peer_certificate_id=file.certificate_id,
        peer_certificate_pem=file.certificate_pem,
        peer_url=file.source.peering_url,
        peer_name=file.source.vault_name,
        peer_dns=file.source.dns,
        peer_domain=file.source.domain,
        peer_application=file.source.application,
        file_sha256=file.sha256,
        requested_by=by,
        requested_at=now,
    )
    exchange.fix_terms(binding)
    binding.save(force_insert=True)
    return binding


def _connect(file: ConnectionFile, binding: Binding, by: Membership) -> Connect:
    connection = binding.connection
    return Connect(
        exchange=file.file_id,
        nonce=file.nonce,
        file_sha256=file.sha256,
        connection_id=connection.record_id,
        requested_by=by.user.name,
        vault=parties.details(by.vault),
        certificate_pem=binding.own_certificate.pem,
    )


def _undo(binding_pk: int, by: Membership, sentence: str) -> None:
    """The source refused at once: a record this upload created goes again, one that existed stays as it was."""
    with transaction.atomic():
        binding = exchange.lock(binding_pk)
        if binding is None or binding.state != BindingState.REFUSED:
            return
        connection = binding.connection
        audit.record(vault=by.vault, by=by, event="connection_file.refused", subject=connection, reason=sentence)
        if binding.creates_record:
            connection.delete()
        else:
            binding.delete()


def _audit_refusal(connection: Connection | None, by: Membership, sentence: str) -> None:
    with transaction.atomic():
        audit.record(vault=by.vault, by=by, event="connection_file.refused", subject=connection, reason=sentence)
