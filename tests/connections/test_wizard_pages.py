from uuid import uuid4

import pytest

from connections.constants import ConnectionState, ConnectionType
from connections.models import Connection
from tests.connections.pages import address, create_url, hidden_fields, walk
from tests.factories.connections import (
    make_local,
)

pytestmark = pytest.mark.django_db


DETAILS = {
    ConnectionType.VAULT_TO_VAULT: {"remote_vault_id": "4711", "remote_vault_name": "Far"},
    ConnectionType.EXTERNAL: {"url": "https://rtsm.example.com/${Vault.id}"},
    ConnectionType.LOCAL: {},
}


@pytest.mark.parametrize("type_", list(ConnectionType))
def test_wizard_creates_each_type_and_goes_to_the_record(admin, browser, type_):
    answer = walk(browser, create_url(admin), type_, **DETAILS[type_])

    connection = Connection.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, address(connection))
    assert connection.type == type_
    assert browser.get(answer["Location"]).status_code == 200


def test_wizard_first_step_shows_three_cards(admin, browser):
    page = browser.get(create_url(admin)).content.decode()

    assert page.count('name="connection_type"') == 3
    for label in ("Vault to Vault", "External", "Local", "Connection Type", "Continue"):
        assert label in page


def test_wizard_without_a_type_asks_for_one(admin, browser):
    answer = browser.post(create_url(admin), {"step": "type", "go": "continue"})

    assert answer.status_code == 422
    assert b"Choose a Connection Type." in answer.content


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "This field is required."),
        ("api_name", "", "This field is required."),
        ("api_name", "Not-Right", "lowercase letters, digits, and underscores"),
        ("api_name", "create", "reserved"),
        ("remote_vault_id", "abc", "whole number"),
        ("remote_vault_id", "0", "above 0"),
        ("authorized_user", "999999", "Select a valid choice"),
    ],
)
def test_wizard_says_what_is_wrong_and_keeps_what_was_typed(admin, browser, field, value, sentence):
    answer = walk(browser, create_url(admin), ConnectionType.VAULT_TO_VAULT, description="Kept", **{field: value})

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert "Kept" in answer.content.decode()
    assert not Connection.objects.exists()


@pytest.mark.parametrize("url", ["http://example.com/", "https://example.com:8443/", "https://10.0.0.1/"])
def test_wizard_refuses_urls_that_break_the_rule(admin, browser, url):
    answer = walk(browser, create_url(admin), ConnectionType.EXTERNAL, url=url)

    assert answer.status_code == 422


def test_wizard_refuses_a_taken_api_name_before_the_review(admin, browser):
    make_local(admin, api_name="link")

    answer = walk(browser, create_url(admin), ConnectionType.LOCAL)

    assert answer.status_code == 422
    assert "choose another one" in answer.content.decode()


def test_wizard_saved_twice_makes_one_record(admin, browser):
    url = create_url(admin)
    fields = {
        "connection_type": ConnectionType.LOCAL.value,
        "step": "review",
        "go": "save",
        "key": str(uuid4()),
        "name": "Link",
        "api_name": "link",
    }

    first, second = browser.post(url, fields), browser.post(url, fields)

    assert first["Location"] == second["Location"]
    assert Connection.objects.count() == 1


def test_wizard_back_and_forth_keeps_what_was_typed(admin, browser):
    url = create_url(admin)
    answer = browser.post(url, {"connection_type": "local__sys", "step": "type", "go": "continue"})
    fields = hidden_fields(answer.content.decode()) | {"name": "My link", "api_name": "my_link"}

    first = browser.post(url, fields | {"go": "back"}).content.decode()
    again = browser.post(
        url, hidden_fields(first) | {"connection_type": "external__sys", "step": "type", "go": "continue"}
    ).content.decode()

    assert "My link" in again
    assert "External connection" in again
    review = browser.post(url, hidden_fields(again) | {"name": "My link", "api_name": "my_link", "go": "continue"})
    back = browser.post(url, hidden_fields(review.content.decode()) | {"go": "back"}).content.decode()
    assert 'value="my_link"' in back


def test_fields_that_are_not_offered_cannot_be_set(admin, browser):
    walk(
        browser,
        create_url(admin),
        ConnectionType.LOCAL,
        state="pending_state__sys",
        system_managed="on",
        url="https://x.example.com/",
        vault="1",
        file_generation="9",
    )

    connection = Connection.objects.get()
    assert (connection.state, connection.system_managed, connection.url) == (ConnectionState.ACTIVE, False, "")
    assert connection.vault_id == admin.vault_id
