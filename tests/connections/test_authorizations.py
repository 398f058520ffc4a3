from datetime import timedelta
from uuid import uuid4

import pytest

from connections.constants import AuthorizationType
from connections.models import ConnectionAuthorization
from connections.services import authorizations
from connections.services.refusals import Refused
from tests.factories.connections import SECRET, make_admin, make_authorization
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
