import pytest

from connections.constants import AuthorizationType, RecordStatus
from connections.models import Connection, ConnectionAuthorization, VaultToken
from connections.services import editing, outward
from connections.services.outward import DestinationUnavailable
from tests.factories.connections import SECRET, make_authorization, make_external, make_local, make_token
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


def test_token_of_the_vault_is_resolved_anew_at_every_use(admin):
    token = make_token(admin, value="one")
    connection = make_external(admin, url="https://rtsm.example.com/${Vault.region}")
    assert outward.destination(connection).url.endswith("/one")

    VaultToken.objects.filter(pk=token.pk).update(value="127.0.0.1")
    assert outward.destination(connection).url.endswith("/127.0.0.1")

    VaultToken.objects.filter(pk=token.pk).update(value="")
    with pytest.raises(DestinationUnavailable, match="no value"):
        outward.destination(connection)


def test_supplied_value_fills_a_custom_token(admin):
    connection = make_external(admin, url="https://rtsm.example.com/${Custom.site}?all=${Custom.All}")

    destination = outward.destination(connection, custom={"Site": 1005, "all": True})

    assert destination.url == "https://rtsm.example.com/1005?all=true"


def test_host_is_judged_again_once_its_token_has_a_value(admin):
    token = make_token(admin, value="rtsm.example.com")
    connection = make_external(admin, url="https://${Vault.region}/")
    assert outward.destination(connection).host == "rtsm.example.com"

    VaultToken.objects.filter(pk=token.pk).update(value="169.254.169.254")
    with pytest.raises(DestinationUnavailable, match="not a public address"):
        outward.destination(connection)


def test_supplied_value_does_not_choose_where_a_stored_secret_goes(admin):
    make_token(admin, value="eu")
    url = "https://${Custom.region}.example.com/"

    with pytest.raises(DestinationUnavailable, match=r"Custom\.region"):
        outward.destination(
            make_external(admin, url=url, authorization=make_authorization(admin)), custom={"REGION": "evil"}
        )
    assert outward.destination(make_external(admin, url=url), custom={"REGION": "us"}).host == "us.example.com"


@pytest.mark.parametrize(
    ("changes", "sentence"), [({"status": RecordStatus.INACTIVE}, "Inactive"), ({"secret": None}, "enter it again")]
)
def test_authorization_that_cannot_be_used_leads_nowhere(admin, changes, sentence):
    connection = make_external(admin, authorization=make_authorization(admin))
    ConnectionAuthorization.objects.filter(pk=connection.authorization_id).update(**changes)

    with pytest.raises(DestinationUnavailable, match=sentence):
        outward.destination(Connection.objects.get(pk=connection.pk))


def test_preview_shows_what_a_url_comes_to(admin):
    preview = outward.preview("https://rtsm.example.com/v/${Vault.id}", admin.vault)

    assert (preview.url, preview.problems) == (f"https://rtsm.example.com/v/{admin.vault_id}", [])


def test_preview_names_every_token_that_stands_in_the_way(admin):
    preview = outward.preview("https://example.com/${Vault.a}/${Custom.b}/${Vault.id}/${Vault.a}", admin.vault)

    assert preview.url == ""
    assert [problem.split("}")[0] for problem in preview.problems] == ["${Vault.a", "${Custom.b"]


def test_preview_says_when_values_make_no_usable_url(admin):
    make_token(admin, value="localhost")

    (problem,) = outward.preview("https://${Vault.region}/", admin.vault).problems
    assert "localhost" in problem
