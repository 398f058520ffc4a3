from datetime import timedelta
from uuid import uuid4

import pytest

from connections.constants import ConnectionState
from connections.models import Connection, ConnectionAlias, ConnectionAuthorization
from connections.services import authorizations, creating, editing
from connections.services.handshake import establishing, files
from connections.services.refusals import Refused
from tests.factories.connections import (
    SECRET,
    download,
    make_admin,
    make_authorization,
    make_external,
    make_local,
    make_vault_to_vault,
)
from tests.factories.people import make_member
from vaultadmin import audit
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


def edit(connection, by, now, **changes):
    return editing.edit(connection=connection, changes=changes, by=by, now=now)


def test_edit_writes_the_field_and_what_it_was(admin, now):
    connection = make_local(admin, name="Before")

    edit(connection, admin, now, name="After")

    assert Connection.objects.get(pk=connection.pk).name == "After"
    row = audit.history(connection).first()
    assert row.event == "connection.edited"
    assert row.changes == {"Name": ["Before", "After"]}


def test_edit_without_a_difference_leaves_no_row(admin, now):
    connection = make_local(admin, name="Same")

    edit(connection, admin, now, name="Same")

    assert audit.history(connection).count() == 1


def test_renamed_connection_keeps_its_old_address(admin, now):
    connection = make_local(admin, api_name="old")

    edit(connection, admin, now, api_name="new")

    assert ConnectionAlias.objects.get(api_name="old").connection == connection


def test_name_taken_back_ends_its_alias(admin, now):
    connection = make_local(admin, api_name="one")
    edit(connection, admin, now, api_name="two")

    edit(connection, admin, now, api_name="one")

    assert [alias.api_name for alias in ConnectionAlias.objects.all()] == ["two"]


def test_api_name_of_another_connection_is_refused(admin, now):
    make_local(admin, api_name="taken")
    connection = make_local(admin, api_name="mine")

    with pytest.raises(Refused) as refusal:
        edit(connection, admin, now, api_name="taken")

    assert refusal.value.field == "api_name"


def test_change_since_the_form_was_shown_is_not_overwritten(admin, now):
    connection = make_local(admin)
    seen = connection.modified_at
    edit(connection, admin, now + timedelta(seconds=1), name="Theirs")

    with pytest.raises(Refused, match="Somebody changed"):
        editing.edit(connection=connection, changes={"name": "Mine"}, by=admin, now=now, seen=seen)

    assert Connection.objects.get(pk=connection.pk).name == "Theirs"


@pytest.mark.parametrize(
    "field", ["state", "type", "vault", "system_managed", "remote_connection_id", "file_generation"]
)
def test_fields_that_are_not_editable_are_refused(admin, now, field):
    connection = make_vault_to_vault(admin)

    with pytest.raises(Refused):
        edit(connection, admin, now, **{field: "x"})


def test_url_belongs_to_external_connections_only(admin, now):
    with pytest.raises(Refused):
        edit(make_local(admin), admin, now, url="https://example.com/")


def test_remote_vault_id_change_revokes_the_file_that_is_out(admin, now):
    connection = make_vault_to_vault(admin)
    download(connection, admin)

    edit(connection, admin, now, remote_vault_id=4711)

    assert connection.issued_files.get().revoked_at == now


def test_remote_vault_id_is_fixed_once_established(pair, now):
    raw = pair.file(named=True)
    binding = establishing.connect_from_file(raw=raw, by=pair.target_admin, now=now)

    with pytest.raises(Refused):
        edit(binding.connection, pair.target_admin, now, remote_vault_id=4711)


def test_inactive_external_comes_back_when_its_url_is_entered(admin, now):
    connection = make_external(admin, url="")
    connection.inactivate()
    connection.save()

    edit(connection, admin, now, url="https://new.example.com/")

    assert Connection.objects.get(pk=connection.pk).state == ConnectionState.ACTIVE


def test_url_to_another_host_needs_the_secret_again(admin, now):
    connection = make_external(admin, authorization=make_authorization(admin))

    with pytest.raises(Refused) as refusal:
        edit(connection, admin, now, url="https://evil.example.net/")

    assert refusal.value.field == "secret"
    assert Connection.objects.get(pk=connection.pk).url == "https://rtsm.example.com/"


def test_wrong_secret_leaves_a_row_in_the_trail_and_a_missing_one_none(admin, now):
    authorization = make_authorization(admin)
    connection = make_external(admin, authorization=authorization)
    rows = AuditEvent.objects.filter(event="authorization.wrong_secret", subject_id=str(authorization.pk))

    for typed in ("", "guessed wrong"):
        with pytest.raises(Refused):
            editing.edit(
                connection=connection, changes={"url": "https://evil.example.net/"}, by=admin, now=now, secret=typed
            )

    row = rows.get()
    assert "The URL now leads to another host" in row.reason
    assert "guessed wrong" not in str(row.changes) + row.reason


@pytest.mark.django_db(transaction=True)
def test_authorization_that_went_meanwhile_is_not_called_a_taken_name(admin, now, monkeypatch):
    connection, authorization = make_external(admin), make_authorization(admin)
    monkeypatch.setattr(
        creating, "check_authorization", lambda *_: authorizations.delete(authorization=authorization, by=admin)
    )

    with pytest.raises(Refused, match="removed meanwhile") as refusal:
        edit(connection, admin, now, authorization=ConnectionAuthorization(pk=authorization.pk))

    assert refusal.value.field == ""


def test_url_to_another_host_with_the_right_secret_is_saved(admin, now):
    connection = make_external(admin, authorization=make_authorization(admin))

    editing.edit(connection=connection, changes={"url": "https://new.example.net/"}, by=admin, now=now, secret=SECRET)

    assert Connection.objects.get(pk=connection.pk).url == "https://new.example.net/"


def test_url_to_another_host_with_another_authorization_needs_that_secret(admin, now):
    connection = make_external(admin)
    authorization = make_authorization(admin)

    with pytest.raises(Refused) as refusal:
        edit(connection, admin, now, url="https://evil.example.net/", authorization=authorization)

    assert refusal.value.field == "secret"


def test_path_change_on_the_same_host_needs_no_secret(admin, now):
    connection = make_external(admin, authorization=make_authorization(admin))

    edit(connection, admin, now, url="https://rtsm.example.com/other")

    assert Connection.objects.get(pk=connection.pk).url.endswith("/other")


def test_foreign_record_cannot_be_edited(admin, now):
    connection = make_local(make_admin())

    with pytest.raises(Connection.DoesNotExist):
        edit(connection, admin, now, name="Mine")


def test_editing_needs_the_permission(admin, now):
    reader = make_member(admin.vault, Permission.CONNECTION_READ)

    with pytest.raises(PermissionRefused):
        edit(make_local(admin), reader, now, name="x")


def test_system_managed_name_stays(admin, now):
    connection = make_vault_to_vault(admin)
    Connection.objects.filter(pk=connection.pk).update(system_managed=True)

    with pytest.raises(Refused):
        edit(connection, admin, now, api_name="other")

    edit(connection, admin, now, remote_vault_id=4711)
    assert files.issue(connection=connection, file_id=uuid4(), by=admin, now=now).content
