from datetime import timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from connections.constants import AuthorizationType, CloneBehavior, TokenType
from connections.models import Connection, VaultToken
from connections.selectors import tokens as selectors
from connections.services import editing, outward, tokens
from connections.services.refusals import Refused
from tests.factories.connections import SECRET, make_admin, make_authorization, make_external, make_token
from tests.factories.people import make_member
from vaultadmin import audit, clock
from vaultadmin.models import Secret
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


def edit(token, by, **changes):
    values = {
        "label": token.label,
        "type": token.type,
        "value": token.value,
        "clone_behavior": token.clone_behavior,
        "is_active": token.is_active,
    }
    return tokens.edit(token=token, by=by, now=clock.now(), **(values | changes))


def led(admin, **fields):
    authorization = make_authorization(admin, **fields)
    return make_external(admin, url="https://${Vault.region}.example.com/", authorization=authorization)


def test_token_is_created_and_its_value_is_in_the_trail(admin):
    token = make_token(admin, name="Region", value="eu")

    assert (token.vault, token.value, token.is_active, token.system_managed) == (admin.vault, "eu", True, False)
    row = audit.history(token).get()
    assert row.event == "vault_token.created"
    assert row.changes["Value"] == [None, "eu"]


def test_value_is_kept_in_the_form_of_its_type(admin):
    assert make_token(admin, type=TokenType.BOOLEAN, value="TRUE").value == "true"
    with pytest.raises(Refused) as refusal:
        make_token(admin, name="other", type=TokenType.DATE, value="tomorrow")
    assert refusal.value.field == "value"


@pytest.mark.parametrize(("field", "value"), [("name", "id"), ("name", "a b"), ("label", " "), ("label", "x" * 61)])
def test_bad_name_or_label_is_refused_at_its_field(admin, field, value):
    with pytest.raises(Refused) as refusal:
        make_token(admin, **{field: value})

    assert refusal.value.field == field
    assert not VaultToken.objects.exists()


def test_name_is_taken_whatever_its_letters(admin):
    make_token(admin, name="region")

    with pytest.raises(Refused) as refusal:
        make_token(admin, name="REGION")
    assert refusal.value.field == "name"


def test_another_vault_may_use_the_name(admin):
    make_token(admin)
    assert make_token(make_admin()).name == "region"


def test_vault_has_ten_tokens_of_its_own(admin):
    for number in range(10):
        make_token(admin, name=f"t{number}")

    with pytest.raises(Refused, match="10 tokens"):
        make_token(admin, name="t10")
    VaultToken.objects.filter(name="t0").update(system_managed=True)
    assert make_token(admin, name="t10")


def test_same_key_twice_makes_one_token(admin):
    key = uuid4()

    assert make_token(admin, creation_key=key) == make_token(admin, creation_key=key)
    assert VaultToken.objects.count() == 1


@pytest.mark.parametrize(
    "broken", [{"name": "1a"}, {"name": "DNS"}, {"name": "vaultid"}, {"type": "x"}, {"clone_behavior": "x"}]
)
def test_database_refuses_what_the_service_would(admin, broken):
    token = make_token(admin)

    with pytest.raises(IntegrityError), transaction.atomic():
        VaultToken.objects.filter(pk=token.pk).update(**broken)


def test_edit_writes_what_changed(admin):
    token = edit(make_token(admin), admin, value="us", clone_behavior=CloneBehavior.PERSIST)

    assert (token.value, token.clone_behavior) == ("us", CloneBehavior.PERSIST)
    assert audit.history(token).first().changes == {
        "Value": ["eu", "us"],
        "Clone behavior": ["Clear the value", "Keep the value"],
    }


def test_edit_without_a_difference_leaves_no_row(admin):
    token = make_token(admin)

    edit(token, admin)

    assert audit.history(token).count() == 1


def test_change_since_the_form_was_shown_is_not_overwritten(admin):
    token = make_token(admin)

    with pytest.raises(Refused, match="Somebody changed"):
        edit(token, admin, value="us", seen=token.modified_at - timedelta(seconds=1))


def test_system_managed_token_stays(admin):
    token = make_token(admin)
    VaultToken.objects.update(system_managed=True)

    with pytest.raises(Refused, match="system managed"):
        edit(token, admin, value="us")
    with pytest.raises(Refused, match="system managed"):
        tokens.delete(token=token, by=admin)


def test_unused_token_is_deleted_and_remembered(admin):
    token = make_token(admin)
    kept = VaultToken(pk=token.pk, vault=admin.vault)

    tokens.delete(token=token, by=admin)

    assert not VaultToken.objects.exists()
    row = audit.history(kept).first()
    assert (row.event, row.changes["Value"]) == ("vault_token.deleted", ["eu", None])
    with pytest.raises(Refused, match="already"):
        tokens.delete(token=kept, by=admin)


@pytest.mark.parametrize("spelling", ["${Vault.region}", "${custom.REGION}", "${CORE.Region}"])
def test_used_token_is_neither_deleted_nor_inactivated(admin, spelling):
    make_external(admin, name="RTSM feed", url=f"https://example.com/{spelling}")
    token = make_token(admin)

    with pytest.raises(Refused, match="RTSM feed"):
        tokens.delete(token=token, by=admin)
    with pytest.raises(Refused, match="RTSM feed") as refusal:
        edit(token, admin, is_active=False)
    assert refusal.value.field == "is_active"


def test_token_with_a_longer_name_is_another_one(admin):
    make_external(admin, url="https://example.com/${Vault.region_2}")

    tokens.delete(token=make_token(admin), by=admin)

    assert not VaultToken.objects.exists()


def test_url_of_another_vault_does_not_use_it(admin):
    make_external(make_admin(), url="https://example.com/${Vault.region}")
    token = make_token(admin)

    assert tokens.delete_refusal(token) == ""


def test_uses_are_counted_in_one_query(admin, django_assert_num_queries):
    make_external(admin, url="https://example.com/${Vault.region}/${Custom.vaultid}")
    make_external(admin, url="https://${vault.dns}/${Vault.region}")

    with django_assert_num_queries(1):
        found = selectors.uses(admin, ["region", "id", "dns", "name"])

    assert found == {"region": 2, "id": 1, "dns": 1, "name": 0}


def test_tokens_need_their_permission(admin):
    reader = make_member(admin.vault, Permission.CONNECTION_READ)
    token = make_token(admin)

    with pytest.raises(PermissionRefused):
        make_token(reader, name="x")
    with pytest.raises(PermissionRefused):
        edit(token, reader, value="us")
    with pytest.raises(PermissionRefused):
        tokens.delete(token=token, by=reader)
    assert list(selectors.own(reader)) == [token]
    assert not selectors.own(make_member(admin.vault)).exists()
    assert selectors.find(make_admin(), token.pk) is None


def test_foreign_token_is_not_edited(admin):
    token = make_token(make_admin())

    with pytest.raises(VaultToken.DoesNotExist):
        edit(token, admin, value="us")


def test_value_in_the_host_of_a_connection_with_a_secret_asks_for_it(admin):
    token = make_token(admin)
    connection = led(admin)
    authorization = connection.authorization

    with pytest.raises(Refused, match="RTSM") as refusal:
        edit(token, admin, value="evil")
    assert refusal.value.field == f"secret_{authorization.pk}"
    with pytest.raises(Refused):
        edit(token, admin, value="evil", secrets={authorization.pk: "guess"})
    assert VaultToken.objects.get().value == "eu"

    edit(token, admin, value="us", secrets={authorization.pk: SECRET})
    assert outward.destination(connection).host == "us.example.com"


def test_each_authorization_is_asked_for(admin):
    token = make_token(admin)
    first = led(admin).authorization
    second = led(admin, type=AuthorizationType.BASIC, secret="another one").authorization

    assert tokens.led_authorizations(admin.vault_id, "region") == [first, second]
    with pytest.raises(Refused):
        edit(token, admin, value="us", secrets={first.pk: SECRET})
    edit(token, admin, value="us", secrets={first.pk: SECRET, second.pk: "another one"})


def test_value_in_the_path_or_without_a_stored_secret_asks_for_nothing(admin):
    token = make_token(admin)
    make_external(admin, url="https://${Vault.region}.example.com/")
    make_external(admin, url="https://example.com/${Vault.region}", authorization=make_authorization(admin))
    copied = led(admin)
    type(copied.authorization).objects.filter(pk=copied.authorization_id).update(secret=None)

    assert edit(token, admin, value="us").value == "us"


def test_new_token_that_decides_the_host_of_a_stored_secret_asks_for_it(admin):
    authorization = led(admin).authorization

    with pytest.raises(Refused, match="enter the Client Secret"):
        make_token(admin)
    assert make_token(admin, secrets={authorization.pk: SECRET})


def test_blank_value_that_is_filled_again_asks_for_the_secret(admin):
    token = make_token(admin)
    authorization = led(admin).authorization
    blank = edit(token, admin, value="")

    with pytest.raises(Refused):
        edit(blank, admin, value="evil")
    edit(blank, admin, value="eu", secrets={authorization.pk: SECRET})


def test_secret_that_is_sealed_leads_nowhere_new(admin):
    token = make_token(admin)
    authorization = led(admin).authorization
    Secret.objects.filter(pk=authorization.secret_id).update(ciphertext="v1:gone:AAAA:AAAA")

    with pytest.raises(Refused, match="cannot be compared"):
        edit(token, admin, value="us", secrets={authorization.pk: SECRET})


def test_url_that_gets_a_token_in_its_host_asks_for_the_secret(admin, now):
    make_token(admin)
    connection = make_external(admin, url="https://eu.example.com/", authorization=make_authorization(admin))

    with pytest.raises(Refused):
        editing.edit(connection=connection, changes={"url": "https://${Vault.region}.example.com/"}, by=admin, now=now)
    assert Connection.objects.get(pk=connection.pk).url == "https://eu.example.com/"


@pytest.mark.django_db(transaction=True)
def test_two_people_adding_the_tenth_token_make_ten(admin):
    for number in range(9):
        make_token(admin, name=f"t{number}")
    start, refused = Barrier(2), []

    def add(name):
        try:
            start.wait(timeout=10)
            make_token(admin, name=name)
        except Refused as refusal:
            refused.append(refusal)
        finally:
            connection.close()

    threads = [Thread(target=add, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert VaultToken.objects.count() == 10
    assert len(refused) == 1
