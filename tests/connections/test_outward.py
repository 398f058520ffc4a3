import pytest

from connections.constants import AuthorizationType
from connections.models import Connection
from connections.services import editing, outward
from connections.services.outward import DestinationUnavailable
from tests.factories.connections import SECRET, make_authorization, make_external, make_local
from vaultadmin.models import Secret

pytestmark = pytest.mark.django_db


def test_client_credentials_travel_with_the_url(admin):
    connection = make_external(admin, authorization=make_authorization(admin))

    destination = outward.destination(connection)

    assert (destination.url, destination.host) == ("https://rtsm.example.com/", "rtsm.example.com")
    assert (destination.client_id, destination.client_secret) == ("mv-ext-demo-RTSM", SECRET)
    assert destination.username == ""


def test_basic_credentials_travel_with_the_url(admin):
    authorization = make_authorization(admin, type=AuthorizationType.BASIC, identity="rtsm")

    destination = outward.destination(make_external(admin, authorization=authorization))

    assert (destination.username, destination.password) == ("rtsm", SECRET)


def test_secrets_are_not_printed(admin):
    destination = outward.destination(make_external(admin, authorization=make_authorization(admin)))

    assert SECRET not in repr(destination)


def test_vault_tokens_of_the_url_are_resolved(admin):
    connection = make_external(admin, url="https://rtsm.example.com/v/${Vault.id}")

    assert outward.destination(connection).url == f"https://rtsm.example.com/v/{admin.vault_id}"


def test_token_without_a_value_is_named(admin):
    with pytest.raises(DestinationUnavailable, match=r"Custom\.site"):
        outward.destination(make_external(admin, url="https://rtsm.example.com/${Custom.site}"))


def test_local_connection_leads_nowhere(admin):
    with pytest.raises(DestinationUnavailable, match="External"):
        outward.destination(make_local(admin))


def test_inactive_connection_leads_nowhere(admin):
    connection = make_external(admin)
    connection.inactivate()

    with pytest.raises(DestinationUnavailable, match="Inactive"):
        outward.destination(connection)


def test_connection_without_url_leads_nowhere(admin):
    with pytest.raises(DestinationUnavailable, match="no URL"):
        outward.destination(make_external(admin, url=""))


def test_sealed_secret_leads_nowhere(admin):
    connection = make_external(admin, authorization=make_authorization(admin))
    Secret.objects.filter(pk=connection.authorization.secret_id).update(ciphertext="v1:gone:AAAA:AAAA")

    with pytest.raises(DestinationUnavailable):
        outward.destination(Connection.objects.get(pk=connection.pk))


def test_edited_url_is_the_one_used(admin, now):
    connection = make_external(admin)

    edited = editing.edit(connection=connection, changes={"url": "https://b.example.com/"}, by=admin, now=now)

    assert outward.destination(edited).host == "b.example.com"
