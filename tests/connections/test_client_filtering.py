from datetime import timedelta

import pytest

from connections.models import Connection
from connections.services import clients, connection_sessions, switching
from tests.factories.connections import make_admin, make_external, make_local, make_vault_to_vault
from tests.factories.people import PASSWORD, make_member, make_user
from tests.fakes.api_client import Api
from vaultadmin import clock
from vaultadmin.models import ApiSession, ApiUsage, VaultSettings
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db
ME = "/v24.3/objects/users/me"


@pytest.fixture(autouse=True)
def _api_world(api_settings):
    return api_settings


@pytest.fixture
def vault(admin):
    return admin.vault


@pytest.fixture
def robot(vault):
    return make_member(vault, Permission.API_ACCESS, user=make_user(password=PASSWORD))


@pytest.fixture
def acme(admin, robot):
    return make_external(admin, api_name="acme", authorized_user=robot)


@pytest.fixture
def api(vault):
    return Api(vault, vault.dns)


@pytest.fixture
def filtering(vault):
    return VaultSettings.objects.create(vault=vault, client_id_filtering=True)


def row():
    return ApiUsage.objects.order_by("-pk")[0]


def test_matching_client_id_is_told_its_connection_and_logged_with_it(api, acme, robot):
    api.headers = {"X-VaultAPI-ClientID": "veeva-vault-acme"}

    answer = api.sign_in(robot)

    assert answer.headers["X-VaultAPI-Connection"] == "acme"
    assert (row().client_id, row().connection) == ("veeva-vault-acme", "acme")
    assert ApiSession.objects.get().connection_id == acme.pk


def test_query_wins_over_the_header(api, acme, robot):
    api.sign_in(robot)

    answer = api.get(ME, query="client_id=veeva-vault-acme", **{"X-VaultAPI-ClientID": "something-else"})
    reverse = api.get(ME, query="client_id=something-else", **{"X-VaultAPI-ClientID": "veeva-vault-acme"})

    assert answer.headers["X-VaultAPI-Connection"] == "acme"
    assert "X-VaultAPI-Connection" not in reverse.headers


@pytest.mark.parametrize(
    ("sent", "logged"),
    [
        ("", "unknown"),
        ("a b", "invalid_client_id"),
        ("x" * 101, "invalid_client_id"),
        ("é", "invalid_client_id"),
        ("a\n", "invalid_client_id"),
        ("fine.but-Unknown_1", "fine.but-Unknown_1"),
    ],
)
def test_call_runs_with_any_client_id_while_filtering_is_off(api, robot, sent, logged):
    from urllib.parse import urlencode

    api.sign_in(robot)

    assert api.get(ME, query=urlencode({"client_id": sent})).ok
    assert row().client_id == logged


@pytest.mark.parametrize("sent", ["", "a b", "someone-else"])
@pytest.mark.parametrize("path", ["/v24.3", "/v24.3/auth", ME, "/v24.3/keep-alive", "/v24.3/session"])
def test_filtering_refuses_every_resource_for_client_ids_of_no_connection(api, acme, filtering, path, sent):
    method = {"/v24.3/auth": "POST", "/v24.3/keep-alive": "POST", "/v24.3/session": "DELETE"}.get(path, "GET")
    data = {"username": "a@b.test", "password": "x"} if path.endswith("auth") else None

    answer = api.call(method, path, data=data, **{"X-VaultAPI-ClientID": sent})

    assert answer.status == 200
    assert answer.body["responseStatus"] == "FAILURE"
    assert answer.error == "INSUFFICIENT_ACCESS"
    assert row().api_response_error_type == "INSUFFICIENT_ACCESS"


def test_filtering_leaves_the_list_of_versions_and_the_pages_open(api, filtering, admin):
    from tests.connections.pages import sign_in

    assert api.get("/").ok
    assert sign_in(admin).get(f"/v/{admin.vault_id}/admin/connections/").status_code == 200


def test_filtering_lets_the_authorized_connection_user_in(api, acme, robot, filtering):
    api.headers = {"X-VaultAPI-ClientID": "veeva-vault-acme"}

    assert api.sign_in(robot).ok
    assert api.get(ME).ok


def test_filtering_refuses_another_user_of_an_external_connection(api, acme, vault, filtering):
    somebody = make_member(vault, Permission.API_ACCESS, user=make_user(password=PASSWORD))

    answer = api.sign_in(somebody, **{"X-VaultAPI-ClientID": "veeva-vault-acme"})

    assert answer.error == "INSUFFICIENT_ACCESS"
    assert "Authorized Connection User" in answer.body["errors"][0]["message"]
    assert not ApiSession.objects.exists()


def test_session_of_before_is_refused_once_filtering_names_another_user(api, acme, vault):
    somebody = make_member(vault, Permission.API_ACCESS, user=make_user(password=PASSWORD))
    api.headers = {"X-VaultAPI-ClientID": "veeva-vault-acme"}
    assert api.sign_in(somebody).ok

    VaultSettings.objects.create(vault=vault, client_id_filtering=True)

    assert api.get(ME).error == "INSUFFICIENT_ACCESS"


@pytest.mark.parametrize("filtered", [True, False])
def test_without_an_authorized_connection_user_no_session_token_is_made(api, admin, robot, vault, filtered):
    make_external(admin, api_name="nobody")
    VaultSettings.objects.create(vault=vault, client_id_filtering=filtered)

    answer = api.sign_in(robot, **{"X-VaultAPI-ClientID": "veeva-vault-nobody"})

    assert answer.error == "INSUFFICIENT_ACCESS"
    assert not ApiSession.objects.exists()


def test_any_user_may_call_with_the_client_id_of_a_local_connection(api, admin, robot, filtering):
    make_local(admin, api_name="itself")
    api.headers = {"X-VaultAPI-ClientID": "veeva-vault-itself"}

    assert api.sign_in(robot).ok
    assert api.get(ME).ok


def test_client_id_of_a_connection_that_is_not_active_is_refused(api, admin, acme, robot, filtering):
    make_vault_to_vault(admin, api_name="pending")

    assert api.sign_in(robot, **{"X-VaultAPI-ClientID": "veeva-vault-pending"}).error == "INSUFFICIENT_ACCESS"


def test_inactive_client_is_refused(api, acme, robot, admin, filtering):
    clients.set_active(client=acme.clients.get(), active=False, by=admin, now=clock.now())

    assert api.sign_in(robot, **{"X-VaultAPI-ClientID": "veeva-vault-acme"}).error == "INSUFFICIENT_ACCESS"


def test_client_id_of_another_vault_is_refused(api, robot, filtering):
    other = make_admin()
    make_external(other, api_name="acme", authorized_user=other)

    assert api.sign_in(robot, **{"X-VaultAPI-ClientID": "veeva-vault-acme"}).error == "INSUFFICIENT_ACCESS"


def test_session_ends_with_its_connection(api, acme, robot, goal):
    api.headers = {"X-VaultAPI-ClientID": "veeva-vault-acme"}
    api.sign_in(robot)
    before = api.get(ME).ok

    acme.inactivate()
    acme.save()
    accepted = [api.get(ME).ok for _ in range(3)]

    goal("G9").reached(
        figure={"accepted before": before, "accepted after inactive": sum(accepted)},
        target={"accepted after inactive": 0},
        ok=before and not any(accepted),
    )


def test_session_does_not_wake_up_with_its_connection(api, acme, robot, admin):
    api.headers = {"X-VaultAPI-ClientID": "veeva-vault-acme"}
    api.sign_in(robot)

    inactive = switching.inactivate(connection=acme, by=admin, now=clock.now())
    switching.activate(connection=inactive, by=admin, now=clock.now())

    assert api.get(ME).error == "INVALID_SESSION_ID"
    assert api.sign_in(robot).ok


def test_session_of_one_client_id_serves_every_client_id_of_the_same_connection(api, acme, robot, admin):
    clients.add(connection=acme, name="Second", client_id="acme-2", by=admin, now=clock.now())
    api.sign_in(robot, **{"X-VaultAPI-ClientID": "veeva-vault-acme"})

    assert api.get(ME, query="client_id=acme-2").ok
    assert api.get(ME).error == "INVALID_SESSION_ID"


def test_fallback_to_another_vault_is_filtered_by_that_vault(robot, acme, filtering):
    api = Api(acme.vault, "nowhere.example.test")

    assert api.sign_in(robot).error == "INSUFFICIENT_ACCESS"
    assert api.sign_in(robot, **{"X-VaultAPI-ClientID": "veeva-vault-acme"}).ok


def minted(connection, api):
    issued = connection_sessions.mint_for_connection(connection, now=clock.now())
    api.session = issued.raw
    return issued


def test_peer_with_a_session_made_for_its_connection_is_trusted(api, admin, robot, filtering):
    link = make_vault_to_vault(admin, api_name="peer", authorized_user=robot)
    Connection.objects.filter(pk=link.pk).update(state="active_state__sys")
    minted(Connection.objects.get(pk=link.pk), api)

    answer = api.get(ME)

    assert answer.body["users"][0]["user"]["id"] == robot.user_id
    assert answer.headers["X-VaultAPI-Connection"] == "peer"
    assert row().connection == "peer"


def test_external_application_with_a_session_made_for_it_still_sends_its_client_id(api, acme, filtering):
    minted(acme, api)

    assert api.get(ME).error == "INSUFFICIENT_ACCESS"
    assert api.get(ME, query="client_id=veeva-vault-acme").ok


def test_session_made_for_a_connection_ends_when_its_user_changes(api, acme, vault, admin):
    minted(acme, api)
    other = make_member(vault, Permission.API_ACCESS, user=make_user(password=PASSWORD))

    Connection.objects.filter(pk=acme.pk).update(authorized_user=other)

    assert api.get(ME).error == "INVALID_SESSION_ID"


@pytest.mark.parametrize("lack", ["user", "state", "permission", "second factor"])
def test_no_session_is_made_for_a_connection_without_somebody_to_act_as(acme, robot, lack):
    if lack == "user":
        acme.authorized_user = None
    elif lack == "state":
        acme.inactivate()
    elif lack == "permission":
        robot.profile.permissions = []
        robot.profile.save()
    else:
        robot.profile.requires_second_factor = True
        robot.profile.save()

    assert connection_sessions.mint_for_connection(acme, now=clock.now()) is None


def test_session_made_for_a_connection_ends_by_itself(api, acme, monkeypatch):
    minted(acme, api)
    moment = clock.now() + timedelta(hours=49)
    monkeypatch.setattr(clock, "now", lambda: moment)

    assert api.get(ME).error == "INVALID_SESSION_ID"
