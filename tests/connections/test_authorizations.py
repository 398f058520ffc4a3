from datetime import timedelta
from uuid import uuid4

import pytest

from connections.constants import AuthorizationType, RecordStatus
from connections.models import ConnectionAuthorization
from connections.services import authorizations
from connections.services.refusals import Refused
from tests.factories.connections import SECRET, make_admin, make_authorization, make_external
from tests.factories.people import make_member
from vaultadmin import audit, secrets
from vaultadmin.models import AuditEvent, Secret
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


def edit(authorization, by, now, **changes):
    values = {"name": authorization.name, "identity": authorization.identity, "secret": ""} | changes
    return authorizations.edit(authorization=authorization, by=by, now=now, **values)


@pytest.mark.parametrize(
    ("type_", "username", "client_id"),
    [(AuthorizationType.BASIC, "me", ""), (AuthorizationType.CLIENT_CREDENTIALS, "", "me")],
)
def test_each_type_has_exactly_its_fields(admin, type_, username, client_id):
    authorization = make_authorization(admin, type=type_, identity="me")

    assert (authorization.username, authorization.client_id) == (username, client_id)
    assert secrets.reveal(authorization.secret) == SECRET


def test_secret_is_nowhere_in_the_clear(admin):
    make_authorization(admin)

    assert SECRET not in Secret.objects.get(purpose="connection authorization").ciphertext
    assert not AuditEvent.objects.filter(changes__icontains=SECRET).exists()


@pytest.mark.parametrize("field", ["identity", "secret"])
def test_both_halves_are_required(admin, field):
    with pytest.raises(Refused) as refusal:
        make_authorization(admin, **{field: ""})

    assert refusal.value.field == field


def test_edit_without_a_secret_keeps_the_stored_one(admin, now):
    authorization = edit(make_authorization(admin), admin, now, name="Renamed")

    assert authorization.name == "Renamed"
    assert secrets.reveal(authorization.secret) == SECRET


def test_replaced_secret_is_audited_without_its_value(admin, now):
    authorization = edit(make_authorization(admin), admin, now, secret="another one")

    assert secrets.reveal(authorization.secret) == "another one"
    assert audit.history(authorization).first().changes == {
        "Client Secret": [audit.SECRET_CHANGED, audit.SECRET_CHANGED]
    }


def test_change_since_the_form_was_shown_is_not_overwritten(admin, now):
    authorization = make_authorization(admin)
    seen = authorization.modified_at
    edit(authorization, admin, now + timedelta(seconds=1), name="Theirs")

    with pytest.raises(Refused):
        edit(authorization, admin, now, name="Mine", seen=seen)


def test_same_key_twice_makes_one_row(admin):
    key = uuid4()

    assert make_authorization(admin, creation_key=key) == make_authorization(admin, creation_key=key)
    assert ConnectionAuthorization.objects.count() == 1


def test_authorizations_need_their_permissions(admin, now):
    reader = make_member(admin.vault, Permission.AUTHORIZATION_READ)
    authorization = make_authorization(admin)

    with pytest.raises(PermissionRefused):
        make_authorization(reader)
    with pytest.raises(PermissionRefused):
        edit(authorization, reader, now)


def test_only_those_of_the_own_vault_are_visible(admin):
    make_authorization(make_admin())
    mine = make_authorization(admin)

    assert list(ConnectionAuthorization.objects.visible_to(admin)) == [mine]
    assert not ConnectionAuthorization.objects.visible_to(make_member(admin.vault)).exists()


def test_user_name_of_basic_auth_holds_no_colon(admin, now):
    with pytest.raises(Refused) as refusal:
        make_authorization(admin, type=AuthorizationType.BASIC, identity="a:b")
    assert refusal.value.field == "identity"
    assert make_authorization(admin, identity="a:b").client_id == "a:b"


def test_status_is_changed_and_audited(admin, now):
    authorization = edit(make_authorization(admin), admin, now, status=RecordStatus.INACTIVE)

    assert not authorization.is_active
    assert audit.history(authorization).first().changes == {"Status": ["Active", "Inactive"]}


def test_missing_secret_is_entered_again(admin, now):
    authorization = make_authorization(admin)
    ConnectionAuthorization.objects.update(secret=None)

    edit(authorization, admin, now, secret="entered here")

    stored = ConnectionAuthorization.objects.get()
    assert secrets.reveal(stored.secret) == "entered here"
    assert audit.history(stored).first().changes == {"Client Secret": [None, audit.SECRET_CHANGED]}


def test_unused_authorization_is_deleted_with_its_secret(admin):
    authorization = make_authorization(admin)
    kept = ConnectionAuthorization(pk=authorization.pk, vault=admin.vault)

    authorizations.delete(authorization=authorization, by=admin)

    assert not ConnectionAuthorization.objects.exists()
    assert not Secret.objects.filter(purpose="connection authorization").exists()
    row = audit.history(kept).first()
    assert (row.event, row.changes["Client ID"]) == ("authorization.deleted", ["mv-ext-demo-RTSM", None])
    with pytest.raises(Refused, match="already"):
        authorizations.delete(authorization=kept, by=admin)


def test_authorization_in_use_is_not_deleted(admin):
    authorization = make_authorization(admin)
    for name in ("A", "B", "C", "D"):
        make_external(admin, name=name, authorization=authorization)

    with pytest.raises(Refused, match="“A”, “B”, “C” and others use it"):
        authorizations.delete(authorization=authorization, by=admin)
    assert ConnectionAuthorization.objects.get() == authorization


def test_deleting_needs_its_permission(admin):
    editor = make_member(admin.vault, Permission.AUTHORIZATION_READ, Permission.AUTHORIZATION_EDIT)

    with pytest.raises(PermissionRefused):
        authorizations.delete(authorization=make_authorization(admin), by=editor)
