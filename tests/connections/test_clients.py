from importlib import import_module

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.urls import reverse

from connections.constants import RecordStatus
from connections.models import ConnectionClient
from connections.services import clients, editing
from connections.services.refusals import Refused
from tests.connections.handshake import upload
from tests.connections.pages import HTMX, sign_in
from tests.factories.connections import make_admin, make_external, make_local, make_vault_to_vault
from tests.factories.people import make_member
from vaultadmin import audit
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


def ids(connection) -> list[str]:
    return [client.client_id for client in connection.clients.all()]


def address(connection, name, client=None):
    arguments = [connection.vault_id, connection.api_name] + ([client.pk] if client else [])
    return reverse(f"connections:{name}", args=arguments)


def add(connection, admin, now, **fields):
    return clients.add(connection=connection, by=admin, now=now, **{"name": "Acme", "client_id": "acme-rtsm"} | fields)


def store_now(values):
    with transaction.atomic():
        ConnectionClient.objects.create(**values)
        with database.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("make", [make_vault_to_vault, make_external, make_local])
def test_every_connection_begins_with_its_default_client_id(admin, make):
    connection = make(admin, api_name="acme_link")

    assert ids(connection) == ["veeva-vault-acme_link"]
    created = audit.history(connection).get(event="connection.created")
    assert created.changes["Client ID"] == [None, "veeva-vault-acme_link"]


def test_connection_from_a_file_begins_with_its_default_client_id(pair):
    binding = upload(pair.file(), pair.target_admin)

    assert ids(binding.connection) == [f"veeva-vault-{binding.connection.api_name}"]


def test_default_client_id_makes_way_for_one_that_is_in_use(admin, now):
    add(make_external(admin), admin, now, client_id="veeva-vault-acme")

    assert ids(make_external(admin, api_name="acme")) == ["veeva-vault-acme-2"]


def test_renaming_the_connection_leaves_its_client_ids(admin, now):
    connection = make_external(admin, api_name="before")

    editing.edit(connection=connection, changes={"api_name": "after"}, by=admin, now=now)

    assert ids(connection) == ["veeva-vault-before"]


@pytest.mark.parametrize("client_id", ["", "a b", "é", "a/b", "x" * 101, "a\n", "a\x00"])
def test_illegal_client_id_is_refused(admin, now, client_id):
    with pytest.raises(Refused, match="100"):
        add(make_external(admin), admin, now, client_id=client_id)


@pytest.mark.parametrize("client_id", ["A", "x" * 100, "a.b_c-D9"])
def test_legal_client_id_is_added_and_recorded(admin, now, client_id):
    connection = make_external(admin)

    client = add(connection, admin, now, client_id=client_id)

    assert client_id in ids(connection)
    assert audit.history(connection, client).filter(event="connection_client.created").exists()


def test_client_id_of_another_connection_is_refused_until_it_is_inactive_there(admin, now):
    first, second = make_external(admin, name="First"), make_external(admin)
    held = add(first, admin, now)

    with pytest.raises(Refused, match="First"):
        add(second, admin, now)
    clients.set_active(client=held, active=False, by=admin, now=now)
    add(second, admin, now)
    with pytest.raises(Refused, match="uses the Client ID"):
        clients.set_active(client=held, active=True, by=admin, now=now)


def test_same_client_id_may_be_active_in_another_vault(admin, now):
    other = make_admin()
    add(make_external(admin), admin, now)

    assert add(make_external(other), other, now).is_active


def test_client_id_of_the_same_connection_is_refused_twice(admin, now):
    connection = make_external(admin)
    held = add(connection, admin, now)

    with pytest.raises(Refused, match="already"):
        add(connection, admin, now)
    clients.set_active(client=held, active=False, by=admin, now=now)
    with pytest.raises(Refused, match="activate it"):
        add(connection, admin, now)


def test_client_is_changed_with_before_and_after_and_not_over_somebody_elses_change(admin, now):
    client = add(make_external(admin), admin, now)
    seen = client.modified_at

    clients.change(client=client, name="Acme 2", client_id="acme-2", by=admin, now=admin.created_at, seen=seen)

    row = AuditEvent.objects.get(event="connection_client.edited")
    assert row.changes["Client ID"] == ["acme-rtsm", "acme-2"]
    with pytest.raises(Refused, match="Somebody changed"):
        clients.change(client=client, name="x", client_id="x", by=admin, now=now, seen=seen)


def test_reader_cannot_change_client_ids(admin, now):
    connection = make_external(admin)
    reader = make_member(admin.vault, Permission.CONNECTION_READ)
    client = connection.clients.get()

    for act in (
        lambda: add(connection, reader, now),
        lambda: clients.set_active(client=client, active=False, by=reader, now=now),
        lambda: clients.change(client=client, name="x", client_id="x", by=reader, now=now, seen=client.modified_at),
    ):
        with pytest.raises(PermissionRefused):
            act()


def test_database_keeps_active_client_ids_unique_legal_and_in_their_vault(admin, now):
    connection, other = make_external(admin), make_external(make_admin())
    values = {"name": "x", "created_at": now, "modified_at": now}

    for wrong in (
        {"vault": admin.vault, "connection": connection, "client_id": "a b"},
        {"vault": admin.vault, "connection": make_local(admin), "client_id": connection.clients.get().client_id},
        {"vault": admin.vault, "connection": other, "client_id": "fine"},
    ):
        with pytest.raises(IntegrityError):
            store_now(wrong | values)


def test_connections_of_before_get_their_default_client_id(admin):
    connections = [make_external(admin, api_name="one"), make_local(admin, api_name="two")]
    ConnectionClient.objects.all().delete()
    migration = import_module("connections.migrations.0010_connection_clients")

    insert = migration.FORWARD[migration.FORWARD.index("INSERT") : migration.FORWARD.index("--")]
    with database.cursor() as cursor:
        cursor.execute(insert)

    assert [ids(connection) for connection in connections] == [["veeva-vault-one"], ["veeva-vault-two"]]


def test_section_lists_client_ids_and_its_dialogs_work_with_and_without_script(admin):
    connection = make_external(admin, api_name="acme")
    browser = sign_in(admin)

    posted = browser.post(address(connection, "client-add"), {"name": "Acme", "client_id": "acme-rtsm"})
    assert posted["Location"] == f"{address(connection, 'record')}#clients"
    client = connection.clients.get(client_id="acme-rtsm")
    page = browser.get(address(connection, "record")).content.decode()
    assert "Connection Client" in page
    assert "veeva-vault-acme" in page
    assert "acme-rtsm" in page

    done = browser.post(address(connection, "client-inactivate", client), headers=HTMX)
    assert done.status_code == 204
    assert "connection:changed" in done["HX-Trigger"]
    client.refresh_from_db()
    assert client.status == RecordStatus.INACTIVE
    assert browser.post(address(connection, "client-activate", client)).status_code == 302
    values = {"name": "Acme", "client_id": "bad id", "seen": connection.clients.get(pk=client.pk).modified_at}
    refused = browser.post(address(connection, "client-edit", client), values)
    assert refused.status_code == 422
    assert "bad id" in refused.content.decode()


def test_client_of_another_connection_is_not_found_below_this_one(admin):
    connection, other = make_external(admin), make_external(admin)

    answer = sign_in(admin).get(address(connection, "client-edit", other.clients.get()))

    assert answer.status_code == 404


def test_taken_client_id_is_refused_in_the_dialog(admin, now):
    add(make_external(admin, name="Holder"), admin, now)
    connection = make_external(admin)

    answer = sign_in(admin).post(address(connection, "client-add"), {"name": "x", "client_id": "acme-rtsm"})

    assert answer.status_code == 422
    assert "Holder" in answer.content.decode()


def test_section_says_when_no_session_token_can_be_made(admin):
    connection = make_external(admin)

    assert "get no session token" in sign_in(admin).get(address(connection, "record")).content.decode()
