from uuid import uuid4

import pytest

from connections.constants import ConnectionState, ConnectionType
from connections.models import Connection, ConnectionAlias
from connections.services import creating, editing
from connections.services.refusals import Refused
from tests.factories.connections import make_admin, make_authorization, make_external, make_local, make_vault_to_vault
from tests.factories.people import make_member
from vaultadmin import audit
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


def test_vault_to_vault_starts_pending(admin):
    connection = make_vault_to_vault(admin, remote_vault_id=4711, remote={"remote_vault_name": "Far"})

    assert (connection.type, connection.state) == (ConnectionType.VAULT_TO_VAULT, ConnectionState.PENDING)
    assert (connection.remote_vault_id, connection.remote_vault_name) == (4711, "Far")
    assert len(connection.record_id) == 15


@pytest.mark.parametrize("make", [make_external, make_local])
def test_external_and_local_start_active(admin, make):
    assert make(admin).state == ConnectionState.ACTIVE


def test_creating_leaves_an_audit_row_with_every_filled_field(admin):
    connection = make_external(admin, name="RTSM", api_name="rtsm")

    row = audit.history(connection).get()

    assert row.event == "connection.created"
    assert row.changes["API Name"] == [None, "rtsm"]
    assert row.changes["URL"] == [None, "https://rtsm.example.com/"]


def test_api_name_is_taken_once_per_vault(admin):
    make_local(admin, api_name="itself")
    make_local(make_admin(), api_name="itself")

    with pytest.raises(Refused, match="itself") as refusal:
        make_local(admin, api_name="itself")

    assert refusal.value.field == "api_name"


@pytest.mark.parametrize("name", ["create", "A", "a-b", "_a", "x" * 41])
def test_wrong_api_name_is_refused(admin, name):
    with pytest.raises(Refused) as refusal:
        make_local(admin, api_name=name)

    assert refusal.value.field == "api_name"
    assert not Connection.objects.exists()


def test_wrong_url_is_refused(admin):
    with pytest.raises(Refused) as refusal:
        make_external(admin, url="https://example.com:8443")

    assert refusal.value.field == "url"


def test_external_may_have_no_url(admin):
    assert make_external(admin, url="").url == ""


def test_vault_of_another_installation_may_have_the_same_id(admin):
    assert make_vault_to_vault(admin, remote_vault_id=admin.vault_id).remote_vault_id == admin.vault_id


def test_foreign_authorization_and_user_are_refused(admin):
    stranger = make_admin()

    with pytest.raises(Refused):
        make_external(admin, authorization=make_authorization(stranger))
    with pytest.raises(Refused):
        make_local(admin, authorized_user=stranger)

    assert not Connection.objects.exists()


def test_stored_secret_is_joined_to_a_url_only_by_those_who_may_edit_it(admin):
    authorization = make_authorization(admin)
    editor = make_member(admin.vault, Permission.CONNECTION_CREATE, Permission.CONNECTION_EDIT)

    with pytest.raises(Refused, match="Connection Authorization: Edit") as refused:
        make_external(editor, authorization=authorization, url="https://elsewhere.example.com/")

    assert refused.value.field == "authorization"


def test_same_key_twice_makes_one_record(admin):
    key = uuid4()

    first = make_local(admin, api_name="itself", creation_key=key)
    second = make_local(admin, api_name="itself", creation_key=key)

    assert first == second
    assert Connection.objects.count() == 1


def test_creating_needs_the_permission(admin):
    reader = make_member(admin.vault, Permission.CONNECTION_READ)

    with pytest.raises(PermissionRefused):
        make_local(reader)


def test_new_record_takes_an_old_address_over(admin, now):
    renamed = make_local(admin, api_name="old")
    editing.edit(connection=renamed, changes={"api_name": "new"}, by=admin, now=now)

    make_local(admin, api_name="old")

    assert not ConnectionAlias.objects.filter(api_name="old").exists()


def test_every_audited_field_exists():
    names = {field.name for field in Connection._meta.get_fields()}

    assert set(creating.AUDITED) <= names
