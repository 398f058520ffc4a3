from datetime import timedelta
from uuid import uuid4

import pytest

from connections import connection_file
from connections.constants import ConnectionState
from connections.models import Connection, IssuedFile
from connections.services.handshake import files
from connections.services.refusals import Refused
from tests.factories.connections import make_local, make_vault_to_vault
from tests.factories.people import make_member
from vaultadmin import audit
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


def issue(connection, by, now, file_id=None):
    return files.issue(connection=connection, file_id=file_id or uuid4(), by=by, now=now)


def test_downloaded_file_says_who_we_are(admin, now, settings):
    connection = make_vault_to_vault(admin, name="Link", api_name="link", remote_vault_id=4711)

    download = issue(connection, admin, now)
    file = connection_file.read(download.content)

    assert file.source.vault_id == admin.vault_id
    assert file.source.peering_url == f"{settings.PUBLIC_URL}/v/{admin.vault_id}/peering/"
    assert (file.connection.id, file.connection.api_name) == (connection.record_id, "link")
    assert file.remote_vault_id == 4711
    assert file.expires_at - file.issued_at == timedelta(hours=72)
    assert download.file_name == "link.connection.json"


def test_file_lifetime_is_a_setting(admin, now, settings):
    settings.CONNECTION_FILE_HOURS = 1

    file = connection_file.read(issue(make_vault_to_vault(admin), admin, now).content)

    assert file.expires_at - file.issued_at == timedelta(hours=1)


def test_nonce_is_not_stored(admin, now):
    download = issue(make_vault_to_vault(admin), admin, now)

    nonce = connection_file.read(download.content).nonce

    assert bytes(IssuedFile.objects.get().nonce_hash) != nonce


def test_downloading_again_raises_the_generation_and_ends_the_older_file(admin, now):
    connection = make_vault_to_vault(admin)

    first, second = issue(connection, admin, now), issue(connection, admin, now)

    assert (first.issued.generation, second.issued.generation) == (1, 2)
    assert not IssuedFile.objects.get(pk=first.issued.pk).is_open(now)
    assert IssuedFile.objects.get(pk=second.issued.pk).is_open(now)


def test_same_dialog_twice_gives_the_same_file(admin, now):
    connection, file_id = make_vault_to_vault(admin), uuid4()

    first = issue(connection, admin, now, file_id)
    second = issue(connection, admin, now + timedelta(seconds=9), file_id)

    assert first.content == second.content
    assert IssuedFile.objects.count() == 1


def test_dialog_of_another_connection_gives_nothing(admin, now):
    file_id = uuid4()
    issue(make_vault_to_vault(admin), admin, now, file_id)

    with pytest.raises(Refused):
        issue(make_vault_to_vault(admin), admin, now, file_id)


def test_disconnected_record_becomes_pending_by_the_download(admin, now):
    connection = make_vault_to_vault(admin)
    Connection.objects.filter(pk=connection.pk).update(state=ConnectionState.DISCONNECTED)

    issue(connection, admin, now)

    assert Connection.objects.get(pk=connection.pk).state == ConnectionState.PENDING


@pytest.mark.parametrize("state", [ConnectionState.ACTIVE, ConnectionState.APPROVED, ConnectionState.INACTIVE])
def test_no_file_in_other_states(admin, now, state):
    connection = make_vault_to_vault(admin)
    Connection.objects.filter(pk=connection.pk).update(state=state)

    with pytest.raises(Refused, match=state.label):
        issue(connection, admin, now)

    assert not IssuedFile.objects.exists()


def test_local_connection_has_no_file(admin, now):
    with pytest.raises(Refused, match="Vault to Vault"):
        issue(make_local(admin), admin, now)


def test_download_and_revocation_are_audited_without_the_content(admin, now):
    connection = make_vault_to_vault(admin)
    issued = issue(connection, admin, now).issued

    files.revoke(issued=issued, by=admin, now=now)

    events = [row.event for row in audit.history(connection)]
    assert events == ["connection_file.revoked", "connection_file.downloaded", "connection.created"]


def test_used_file_cannot_be_revoked(admin, now):
    issued = issue(make_vault_to_vault(admin), admin, now).issued
    IssuedFile.objects.update(used_at=now, used_by_host="x.example.com", used_by_vault_id=5)

    with pytest.raises(Refused):
        files.revoke(issued=issued, by=admin, now=now)


def test_revoking_twice_is_one_revocation(admin, now):
    connection = make_vault_to_vault(admin)
    issued = issue(connection, admin, now).issued

    files.revoke(issued=issued, by=admin, now=now)
    files.revoke(issued=issued, by=admin, now=now + timedelta(minutes=1))

    assert IssuedFile.objects.get().revoked_at == now


def test_files_need_manage_connections(admin, now):
    editor = make_member(admin.vault, Permission.CONNECTION_EDIT, Permission.CONNECTION_READ)

    with pytest.raises(PermissionRefused):
        issue(make_vault_to_vault(admin), editor, now)
