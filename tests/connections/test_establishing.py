import json
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from connections import connection_file, signed_json
from connections.constants import BindingState, ConnectionState
from connections.models import Binding, Connection, IssuedFile, OutgoingPeerMessage
from connections.services import editing
from connections.services.handshake import establishing, files
from connections.services.handshake.establishing import FileRefused
from connections.services.signing import certificates
from tests.connections.handshake import fresh, other_side, refused, settle, states, upload
from tests.connections.test_connection_file import mutations
from tests.factories.connections import (
    make_local,
    shared_key,
)
from tests.factories.people import make_member
from tests.fakes import carriers
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Installation, Task
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.strict_json import loads

pytestmark = pytest.mark.django_db


def rewrite(raw, key=None, **changes):
    document = loads(raw) | changes
    document.pop("signature")
    return signed_json.sign(document, key or shared_key())


def test_file_that_names_the_vault_makes_both_active_at_once(pair):
    source = pair.source_record(name="Safety", api_name="safety", remote_vault_id=pair.target.pk)

    binding = upload(pair.file(connection=source), pair.target_admin)
    target = binding.connection

    assert binding.state == BindingState.IN_FORCE
    assert states(source, target) == ["Active", "Active"]
    assert (target.name, target.api_name, target.authorized_user) == ("Safety", "safety", None)
    assert (target.remote_vault_id, target.remote_connection_id) == (pair.source.pk, source.record_id)
    assert target.remote_vault_dns == pair.source.dns
    source = fresh(source)
    assert (source.remote_vault_id, source.remote_connection_id) == (pair.target.pk, target.record_id)
    assert source.remote_vault_name == pair.target.name


def test_both_sides_pin_the_key_of_the_other(pair, certificate):
    binding = upload(pair.file(named=True), pair.target_admin)

    for side in (binding, other_side(binding)):
        assert side.peer_certificate_pem == certificate.pem
        assert side.peer_installation_id == Installation.current().pk


def test_file_without_a_vault_starts_an_approval_in_both(pair):
    source = pair.source_record()

    binding = upload(pair.file(connection=source), pair.target_admin)

    assert binding.state == BindingState.APPROVING
    assert states(source, binding.connection) == ["Pending", "Pending"]
    assert {task.vault_id for task in Task.objects.open()} == {pair.source.pk, pair.target.pk}


def test_name_clash_gets_a_suffix(pair):
    make_local(pair.target_admin, api_name="safety")
    source = pair.source_record(api_name="safety", remote_vault_id=pair.target.pk)

    binding = upload(pair.file(connection=source), pair.target_admin)

    assert binding.connection.api_name == "safety_2"


def test_file_page_shows_who_used_it(pair):
    source = pair.source_record(remote_vault_id=pair.target.pk)

    upload(pair.file(connection=source), pair.target_admin)

    issued = source.issued_files.get()
    assert (issued.used_by_host, issued.used_by_vault_id) == (pair.target.dns, pair.target.pk)


@pytest.mark.parametrize("named", [True, False])
def test_same_file_six_times_has_one_effect(pair, named):
    raw = pair.file(named=named)
    upload(raw, pair.target_admin)

    for _ in range(5):
        assert "already used" in refused(raw, pair.target_admin)

    assert Connection.objects.filter(vault=pair.target).count() == 1
    assert Binding.objects.count() == 2


def test_expired_file_is_refused(pair, settings):
    settings.CONNECTION_FILE_HOURS = 0.0001
    raw = pair.file(named=True)

    with pytest.raises(FileRefused, match="expired"):
        establishing.connect_from_file(raw=raw, by=pair.target_admin, now=clock.now() + timedelta(seconds=2))


def test_file_that_expires_on_the_way_is_refused_by_the_source(pair):
    source = pair.source_record(remote_vault_id=pair.target.pk)
    raw = pair.file(connection=source)
    IssuedFile.objects.update(issued_at=clock.now() - timedelta(2), expires_at=clock.now() - timedelta(1))

    assert "expired" in refused(raw, pair.target_admin)
    assert not Connection.objects.filter(vault=pair.target).exists()


def test_revoked_file_is_refused(pair, now):
    source = pair.source_record(remote_vault_id=pair.target.pk)
    raw = pair.file(connection=source)
    files.revoke(issued=source.issued_files.get(), by=pair.source_admin, now=now)

    assert "revoked" in refused(raw, pair.target_admin)


def test_older_file_is_refused(pair):
    source = pair.source_record(remote_vault_id=pair.target.pk)
    older = pair.file(connection=source)
    pair.file(connection=source)

    assert "newer one" in refused(older, pair.target_admin)


def test_file_is_refused_after_the_remote_vault_id_changed(pair, now):
    source = pair.source_record(remote_vault_id=pair.target.pk)
    raw = pair.file(connection=source)
    editing.edit(connection=source, changes={"remote_vault_id": 4711}, by=pair.source_admin, now=now)

    assert "revoked" in refused(raw, pair.target_admin)


def test_file_for_another_vault_is_refused(pair):
    source = pair.source_record(remote_vault_id=4711)

    assert "4711" in refused(pair.file(connection=source), pair.target_admin)


def test_file_of_this_very_vault_is_refused(pair):
    assert "made by this Vault" in refused(pair.file(), pair.source_admin)


def test_file_of_a_deleted_connection_is_refused(pair):
    source = pair.source_record(remote_vault_id=pair.target.pk)
    raw = pair.file(connection=source)
    source.delete()

    assert "no longer knows it" in refused(raw, pair.target_admin)


def test_file_signed_with_another_key_of_the_same_id_is_refused(pair):
    raw = pair.file(named=True)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = signed_json.certificate_pem(certificates._self_signed(stranger, "Evil", clock.now()))

    forged = rewrite(raw, stranger, certificate_pem=pem)

    assert "not signed with the key" in refused(forged, pair.target_admin)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://other.example.com/v/1/peering/", "The URL must start with https://."),
        ("https://other.example.com:8443/v/1/peering/", "The URL must use the standard port 443."),
        ("https://10.0.0.1/v/1/peering/", "The URL leads to 10.0.0.1, which is not a public address."),
        ("https://169.254.169.254/", "The URL leads to 169.254.169.254, which is not a public address."),
        ("https://admin:x@other.example.com/v/1/peering/", None),
        ("https://other.example.com/v/1/peering/?to=", "The URL must be short, end with a slash and have no query."),
        ("https://other.example.com/v/1/peering", "The URL must be short, end with a slash and have no query."),
        ("https://localhost/v/1/peering/", "The host localhost is not a public host name."),
    ],
)
def test_file_of_another_installation_whose_address_cannot_be_called_is_refused(pair, address, why):
    raw = pair.file(named=True)
    source = json.loads(raw)["source"] | {"installation_id": str(uuid4()), "peering_url": address}

    sentence = refused(rewrite(raw, source=source), pair.target_admin)

    assert sentence.startswith(f"The address in this connection file, {address}, cannot be called: ")
    assert why is None or sentence.endswith(why)


def test_file_with_a_guessed_nonce_is_refused_by_the_source(pair):
    raw = pair.file(named=True)

    assert "no longer knows it" in refused(rewrite(raw, nonce="A" * 43 + "="), pair.target_admin)


def test_huge_file_is_refused_at_once(pair):
    assert "too large" in refused(b"{" + b"x" * 50_000_000, pair.target_admin)


@pytest.mark.parametrize("raw", [b"", b"no json", b"{}", b'{"format":'])
def test_bytes_that_are_no_file_are_refused(pair, raw):
    assert refused(raw, pair.target_admin).endswith(".")


@pytest.mark.evidence
def test_mutated_files_change_nothing_and_are_audited(pair, goal):
    raw = pair.file(named=True)
    kept = Connection.objects.count(), Binding.objects.count(), OutgoingPeerMessage.objects.count()
    e1 = goal("E1")
    tried = e1.count(small=40, full=632)

    let_in = 0
    for mutated in mutations(raw, tried):
        try:
            upload(mutated, pair.target_admin)
        except FileRefused:
            continue
        let_in += 1

    unchanged = kept == (Connection.objects.count(), Binding.objects.count(), OutgoingPeerMessage.objects.count())
    rows = AuditEvent.objects.filter(event="connection_file.refused").count()
    e1.reached(
        figure={"let_in": let_in, "audited": rows}, target={"let_in": 0}, ok=unchanged and rows + let_in == tried
    )


def test_refused_upload_leaves_only_an_audit_row(pair):
    raw = pair.file()
    before = Connection.objects.filter(vault=pair.target).count()

    refused(raw[:-2], pair.target_admin)

    assert Connection.objects.filter(vault=pair.target).count() == before
    row = AuditEvent.objects.get(chain=pair.target.pk, event="connection_file.refused")
    assert "connection file" in row.reason


def test_starting_an_approval_needs_workflow_start(pair):
    uploader = make_member(pair.target, Permission.MANAGE_CONNECTIONS)

    assert "Workflow: Start" in refused(pair.file(), uploader)


def test_file_that_names_the_vault_needs_no_workflow_permission(pair):
    uploader = make_member(pair.target, Permission.MANAGE_CONNECTIONS)

    assert upload(pair.file(named=True), uploader).state == BindingState.IN_FORCE


def test_uploading_needs_manage_connections(pair):
    reader = make_member(pair.target, Permission.CONNECTION_EDIT, Permission.WORKFLOW_START)

    with pytest.raises(PermissionRefused):
        upload(pair.file(named=True), reader)


def test_source_that_is_not_waiting_refuses(pair):
    source = pair.source_record(remote_vault_id=pair.target.pk)
    raw = pair.file(connection=source)
    Connection.objects.filter(pk=source.pk).update(state=ConnectionState.INACTIVE)

    assert "not waiting" in refused(raw, pair.target_admin)


def test_unreachable_source_leaves_the_request_waiting(pair, monkeypatch):
    carrier = carriers.use(monkeypatch, carriers.UnreliableCarrier(fault=carriers.LOSE_MESSAGE))
    source = pair.source_record(remote_vault_id=pair.target.pk)

    binding = upload(pair.file(connection=source), pair.target_admin)

    assert binding.state == BindingState.PROPOSED
    assert states(source, binding.connection) == ["Pending", "Pending"]
    carrier.fault = carriers.PERFECT
    settle()
    assert states(source, binding.connection) == ["Active", "Active"]


def test_uploaded_file_is_not_kept(pair):
    raw = pair.file()

    upload(raw, pair.target_admin)

    nonce = json.loads(raw)["nonce"]
    assert not AuditEvent.objects.filter(changes__icontains=nonce).exists()
    assert connection_file.read(raw).sha256 == Binding.objects.first().file_sha256
