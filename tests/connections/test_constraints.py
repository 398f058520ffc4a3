from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database

from connections.constants import BindingState
from connections.models import Binding, Connection, ConnectionAlias, ConnectionAuthorization, IssuedFile
from tests.connections.handshake import upload
from tests.factories.connections import (
    download,
    make_admin,
    make_authorization,
    make_external,
    make_local,
    make_vault_to_vault,
)

pytestmark = pytest.mark.django_db


def refused(rows, **changes):
    with pytest.raises(IntegrityError):
        write_now(rows, changes)


@transaction.atomic
def write_now(rows, changes):
    rows.update(**changes)
    with database.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def only(row):
    return type(row).objects.filter(pk=row.pk)


def test_connection_cannot_use_another_vaults_authorization(admin):
    refused(only(make_external(admin)), authorization=make_authorization(make_admin()))


def test_connection_cannot_act_as_another_vaults_member(admin):
    refused(only(make_local(admin)), authorized_user=make_admin())


def test_alias_cannot_lead_into_another_vault(admin):
    alias = ConnectionAlias.objects.create(vault=admin.vault, api_name="old", connection=make_local(admin))

    refused(only(alias), vault=make_admin().vault)


@pytest.mark.parametrize("api_name", ["create", "A", "a-b", "_a", ""])
def test_api_name_rule_holds_in_the_database(admin, api_name):
    refused(only(make_local(admin)), api_name=api_name)


def test_api_name_is_unique_per_vault_in_the_database(admin):
    make_local(admin, api_name="one")

    refused(only(make_local(admin, api_name="two")), api_name="one")


def test_local_connection_has_no_url_and_no_peer(admin):
    local = make_local(admin)

    refused(only(local), url="https://example.com/")
    refused(only(local), remote_vault_id=5)
    refused(only(local), state="pending_state__sys")


def test_authorization_holds_one_identity(admin):
    authorization = make_authorization(admin)

    refused(ConnectionAuthorization.objects.filter(pk=authorization.pk), username="x")
    refused(ConnectionAuthorization.objects.filter(pk=authorization.pk), client_id="")


def test_issued_file_facts_come_in_pairs(admin, now):
    connection = make_vault_to_vault(admin)
    download(connection, admin)
    issued = IssuedFile.objects.all()

    refused(issued, used_at=now)
    refused(issued, used_by_host="x")
    refused(issued, revoked_at=now)
    refused(issued, revoked_reason="because")
    refused(issued, expires_at=now - timedelta(days=1))


def test_one_file_is_out_per_connection(admin):
    connection = make_vault_to_vault(admin)
    download(connection, admin)
    download(connection, admin)

    refused(IssuedFile.objects.filter(generation=1), revoked_at=None, revoked_reason="", revoked_by=None)


def test_binding_in_force_needs_both_approvals(pair, now):
    binding = upload(pair.file(), pair.target_admin)

    refused(only(binding), state=BindingState.IN_FORCE, established_at=now)


def test_binding_verdicts_have_who_and_when(pair, now):
    binding = upload(pair.file(), pair.target_admin)

    refused(only(binding), local_verdict="approve")
    refused(only(binding), local_decided_at=now)
    refused(only(binding), remote_verdict="approve")
    refused(only(binding), ended_at=now)


def test_one_binding_per_file_and_side(pair):
    binding = upload(pair.file(), pair.target_admin)
    other = upload(pair.file(), pair.target_admin)

    refused(only(other), exchange=binding.exchange)


def test_one_open_binding_per_connection(pair):
    binding = upload(pair.file(), pair.target_admin)
    other = upload(pair.file(), pair.target_admin)

    refused(only(other), connection=binding.connection)


def test_creation_key_is_unique(admin):
    key = uuid4()
    make_local(admin, creation_key=key)

    refused(only(make_local(admin)), creation_key=key)
    assert Connection.objects.count() == 2
    assert not Binding.objects.exists()
