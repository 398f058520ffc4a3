from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from connections.constants import ConnectionType
from connections.home import connections as home
from connections.models import Connection, ConnectionAuthorization, VaultToken
from connections.services import probing
from connections.services.probing import Outcome, Probe
from tests.connections.pages import HTMX, address, create_url, hidden_fields, sign_in, walk
from tests.factories.connections import SECRET, make_admin, make_authorization, make_external, make_token
from tests.factories.people import make_member
from vaultadmin import secrets
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db
VALUES = {"label": "Region", "type": "string__sys", "value": "eu", "clone_behavior": "clear__sys", "is_active": "on"}


def page_of(admin, name, *more):
    return reverse(f"connections:{name}", args=[admin.vault_id, *more])


def shown(answer):
    return answer.content.decode()


def told(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_list_shows_system_tokens_and_the_vaults_own_with_their_uses(admin, browser):
    make_token(admin, name="region", value="")
    make_external(admin, url="https://${Vault.dns}/${Vault.region}")

    page = shown(browser.get(page_of(admin, "tokens")))

    for text in ("${Vault.id}", "${Vault.name}", "${Vault.dns}", "${Vault.region}", admin.vault.dns, "No value"):
        assert text in page
    assert page.count("1 connection<") == 2


def test_full_list_says_so_instead_of_offering_another(admin, browser):
    for number in range(10):
        make_token(admin, name=f"t{number}")

    page = shown(browser.get(page_of(admin, "tokens")))

    assert "10 tokens of its own" in page
    assert page_of(admin, "token-create") not in page
    assert "10 tokens of its own" in shown(browser.get(page_of(admin, "token-create")))


def test_token_is_created_from_its_form(admin, browser):
    page = page_of(admin, "token-create")
    form = hidden_fields(shown(browser.get(page))) | VALUES | {"name": "region"}

    answer = browser.post(page, form)
    again = browser.post(page, form)

    token = VaultToken.objects.get()
    assert answer["Location"] == again["Location"] == page_of(admin, "token", token.pk)
    assert "${Vault.region}" in shown(browser.get(answer["Location"]))


@pytest.mark.parametrize(
    ("field", "value"), [("name", "dns"), ("name", "a-b"), ("value", "maybe"), ("label", ""), ("clone_behavior", "x")]
)
def test_bad_token_is_refused_at_its_field_and_kept_as_typed(admin, browser, field, value):
    form = {"key": str(uuid4()), "name": "region"} | VALUES | {"type": "boolean__sys", "value": "true"}

    answer = browser.post(page_of(admin, "token-create"), form | {field: value})

    assert answer.status_code == 422
    assert "field-error" in shown(answer)
    assert not VaultToken.objects.exists()


def test_token_is_edited_but_for_its_name(admin, browser):
    token = make_token(admin)
    page = page_of(admin, "token-edit", token.pk)

    answer = browser.post(page, hidden_fields(shown(browser.get(page))) | VALUES | {"value": "us", "name": "other"})

    assert answer.status_code == 302
    saved = VaultToken.objects.get()
    assert (saved.name, saved.value) == ("region", "us")


def test_value_that_leads_a_secret_asks_for_it_in_the_form(admin, browser):
    token = make_token(admin)
    authorization = make_authorization(admin)
    make_external(admin, url="https://${Vault.region}.example.com/", authorization=authorization)
    page = page_of(admin, "token-edit", token.pk)
    form = hidden_fields(shown(browser.get(page))) | VALUES | {"value": "us"}

    refused = browser.post(page, form)
    wrong = browser.post(page, form | {f"secret_{authorization.pk}": "canary-guess"})

    assert (refused.status_code, wrong.status_code) == (422, 422)
    assert "enter the Client Secret of" in shown(refused)
    assert "canary-guess" not in shown(wrong)
    assert browser.post(page, form | {f"secret_{authorization.pk}": SECRET}).status_code == 302


def test_new_name_that_leads_a_secret_asks_for_it_in_the_form(admin, browser):
    authorization = make_authorization(admin)
    make_external(admin, url="https://${Vault.region}.example.com/", authorization=authorization)
    form = {"key": str(uuid4()), "name": "region"} | VALUES

    refused = browser.post(page_of(admin, "token-create"), form)

    assert refused.status_code == 422
    assert f'name="secret_{authorization.pk}"' in shown(refused)
    answer = browser.post(page_of(admin, "token-create"), form | {f"secret_{authorization.pk}": SECRET})
    assert answer.status_code == 302


def test_emptied_value_warns_of_what_stops(admin, browser):
    token = make_token(admin)
    make_external(admin, name="RTSM feed", url="https://example.com/${Vault.region}")
    page = page_of(admin, "token-edit", token.pk)

    answer = browser.post(page, hidden_fields(shown(browser.get(page))) | VALUES | {"value": ""})

    assert "RTSM feed" in told(answer)[-1]


def test_unused_token_is_deleted_in_a_dialog(admin, browser):
    token = make_token(admin)
    page = page_of(admin, "token-delete", token.pk)

    assert "cannot be undone" in shown(browser.get(page, headers=HTMX))
    answer = browser.post(page, headers=HTMX)

    assert answer["HX-Redirect"] == page_of(admin, "tokens")
    assert not VaultToken.objects.exists()


def test_used_token_shows_why_it_cannot_be_deleted(admin, browser):
    token = make_token(admin)
    make_external(admin, name="RTSM feed", url="https://example.com/${Vault.region}")

    page = shown(browser.get(page_of(admin, "token", token.pk)))
    answer = browser.post(page_of(admin, "token-delete", token.pk))

    assert 'aria-disabled="true"' in page
    assert "The URL of “RTSM feed” uses ${Vault.region}" in page
    assert answer.status_code == 409
    assert VaultToken.objects.exists()


def test_reader_sees_tokens_but_no_way_to_change_them(admin):
    token = make_token(admin)
    browser = sign_in(make_member(admin.vault, Permission.CONNECTION_READ))

    page = shown(browser.get(page_of(admin, "token", token.pk)))

    assert "${Vault.region}" in page
    assert page_of(admin, "token-edit", token.pk) not in page
    assert browser.get(page_of(admin, "token-edit", token.pk)).status_code == 403


def test_foreign_token_looks_like_a_missing_one(admin, browser):
    token = make_token(make_admin())

    for name in ("token", "token-edit", "token-delete"):
        assert browser.get(page_of(admin, name, token.pk)).status_code == 404


def test_record_shows_what_its_url_resolves_to_now(admin, browser):
    token = make_token(admin)
    connection = make_external(admin, url="https://rtsm.example.com/${Vault.region}")

    assert "https://rtsm.example.com/eu" in shown(browser.get(address(connection)))
    VaultToken.objects.filter(pk=token.pk).update(value="us")
    assert "https://rtsm.example.com/us" in shown(browser.get(address(connection)))
    VaultToken.objects.filter(pk=token.pk).update(is_active=False)
    assert "${Vault.region} is inactive." in shown(browser.get(address(connection)))


def test_url_with_an_unknown_token_is_saved_with_a_warning(admin, browser):
    answer = walk(browser, create_url(admin), ConnectionType.EXTERNAL, url="https://example.com/${Vault.nowhere}")

    assert answer.status_code == 302
    assert Connection.objects.get().url.endswith("${Vault.nowhere}")
    assert "${Vault.nowhere} is no token of this Vault." in told(answer)[-1]


def test_edited_url_with_a_token_without_a_value_is_saved_with_a_warning(admin, browser):
    make_token(admin, value="")
    connection = make_external(admin)
    page = address(connection, "edit-details")
    form = hidden_fields(shown(browser.get(page))) | {"name": "RTSM", "api_name": connection.api_name}

    answer = browser.post(page, form | {"url": "https://rtsm.example.com/${Vault.region}"})

    assert answer.status_code == 302
    assert "has no value" in told(answer)[-1]


def probed(monkeypatch, outcome=Outcome.PASSED):
    seen = []

    def probe(**asked):
        seen.append(asked)
        return Probe(outcome, "rtsm.example.com answered 200.", "rtsm.example.com", 200, 12, None)

    monkeypatch.setattr(probing, "probe", probe)
    return seen


def test_record_is_tested_in_a_dialog(admin, browser, monkeypatch):
    seen = probed(monkeypatch)
    connection = make_external(admin, authorization=make_authorization(admin))
    page = address(connection, "test")

    assert "Nothing is stored here but a row in the audit trail" in shown(browser.get(page, headers=HTMX))
    answer = browser.post(page, headers=HTMX)

    assert answer.status_code == 200
    assert "rtsm.example.com answered 200." in shown(answer)
    assert "12 ms" in shown(answer)
    assert SECRET not in shown(answer)
    assert seen == [{"connection": connection, "by": admin}]


@pytest.mark.parametrize(
    ("url", "reason"), [("", "has no URL"), ("https://example.com/${Vault.nowhere}", "is no token of this Vault")]
)
def test_record_that_cannot_be_tested_says_why(admin, browser, monkeypatch, url, reason):
    seen = probed(monkeypatch)
    connection = make_external(admin, url=url)

    assert reason in shown(browser.get(address(connection, "test")))
    assert browser.post(address(connection, "test")).status_code == 409
    assert seen == []


def test_authorization_is_tested_on_a_connection_that_uses_it(admin, browser, monkeypatch):
    seen = probed(monkeypatch, Outcome.REFUSED)
    authorization = make_authorization(admin)
    uses, other = make_external(admin, name="Uses it", authorization=authorization), make_external(admin, name="Not")
    page = page_of(admin, "authorization-test", authorization.pk)

    choice = shown(browser.get(page))
    assert "Uses it" in choice
    assert ">Not<" not in choice
    assert browser.post(page, {"connection": other.pk}).status_code == 422
    assert seen == []
    assert "alert-warning" in shown(browser.post(page, {"connection": uses.pk}))
    assert seen == [{"connection": uses, "authorization": authorization, "by": admin}]


def test_unused_authorization_cannot_be_tested(admin, browser):
    page = page_of(admin, "authorization-test", make_authorization(admin).pk)

    assert "No connection uses it" in shown(browser.get(page))
    assert browser.post(page, {}).status_code == 409


def test_testing_needs_its_permission(admin):
    connection = make_external(admin)
    browser = sign_in(make_member(admin.vault, Permission.CONNECTION_READ, Permission.CONNECTION_EDIT))

    assert "Needs “Application: Manage Connections”." in shown(browser.get(address(connection)))
    assert browser.post(address(connection, "test")).status_code == 403


def test_unused_authorization_is_deleted_in_a_dialog(admin, browser):
    authorization = make_authorization(admin)
    page = page_of(admin, "authorization-delete", authorization.pk)

    assert "cannot be undone" in shown(browser.get(page))
    assert browser.post(page)["Location"] == page_of(admin, "authorizations")
    assert not ConnectionAuthorization.objects.exists()


def test_used_authorization_shows_why_it_cannot_be_deleted(admin, browser):
    authorization = make_authorization(admin)
    make_external(admin, name="RTSM feed", authorization=authorization)

    assert "“RTSM feed” uses it." in shown(browser.get(page_of(admin, "authorization", authorization.pk)))
    assert browser.post(page_of(admin, "authorization-delete", authorization.pk)).status_code == 409


def test_deleting_an_authorization_needs_fresh_credentials(admin):
    admin.user.set_password("correct horse battery staple")
    admin.user.save()
    authorization = make_authorization(admin)
    browser = Client()
    browser.force_login(admin.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    answer = browser.post(page_of(admin, "authorization-delete", authorization.pk))

    assert "reauthenticate" in answer["Location"]
    assert ConnectionAuthorization.objects.exists()


def test_missing_secret_is_shown_and_entered_again(admin, browser):
    authorization = make_authorization(admin)
    connection = make_external(admin, authorization=authorization)
    ConnectionAuthorization.objects.update(secret=None)
    page = page_of(admin, "authorization-edit", authorization.pk)

    assert "Re-enter the Client Secret" in shown(browser.get(page_of(admin, "authorization", authorization.pk)))
    assert "Re-enter the Client Secret" in shown(browser.get(page_of(admin, "authorizations")))
    assert "Re-enter the Client Secret" in shown(browser.get(address(connection)))
    form = hidden_fields(shown(browser.get(page)))
    answer = browser.post(page, form | {"name": "RTSM", "identity": "me", "secret": "new one", "status": "inactive__v"})

    assert answer.status_code == 302
    saved = ConnectionAuthorization.objects.get()
    assert (secrets.reveal(saved.secret), saved.is_active) == ("new one", False)
    assert not AuditEvent.objects.filter(changes__icontains="new one").exists()


def test_palette_finds_authorizations_and_tokens(admin):
    make_authorization(admin, name="Harbour credentials")
    make_token(admin, label="Harbour")
    stranger = make_member(admin.vault)

    assert [hit.label for hit in home.authorization_hits(admin, "harbour")] == ["Harbour credentials"]
    assert [hit.label for hit in home.token_hits(admin, "HARBOUR")] == ["${Vault.region}"]
    assert home.authorization_hits(stranger, "harbour") == home.token_hits(stranger, "harbour") == []
    assert home.authorization_hits(admin, " ") == home.token_hits(admin, " ") == []
