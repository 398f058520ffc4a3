from uuid import uuid4

import pytest
from django.urls import reverse

from connections.models import ConnectionAuthorization
from tests.connections.handshake import fresh
from tests.connections.pages import hidden_fields
from tests.factories.connections import (
    SECRET,
    make_admin,
    make_authorization,
    make_external,
)
from vaultadmin import secrets

pytestmark = pytest.mark.django_db


AUTHORIZATION_FIELDS = {
    "basic_auth__sys": ("User Name", "Password"),
    "client_credentials__sys": ("Client ID", "Client Secret"),
}


@pytest.mark.parametrize("type_", AUTHORIZATION_FIELDS)
def test_authorization_is_created_and_its_secret_never_shown(admin, browser, type_):
    url = reverse("connections:authorization-create", args=[admin.vault_id]) + f"?type={type_}"
    page = browser.get(url).content.decode()
    for label in AUTHORIZATION_FIELDS[type_]:
        assert label in page

    answer = browser.post(url, hidden_fields(page) | {"name": "RTSM", "identity": "me", "secret": SECRET})

    made = ConnectionAuthorization.objects.get()
    assert made.type == type_
    for path in (
        answer["Location"],
        f"{answer['Location']}edit/",
        reverse("connections:authorizations", args=[admin.vault_id]),
    ):
        page = browser.get(path)
        assert page.status_code == 200
        assert SECRET not in page.content.decode()


def test_refused_authorization_form_does_not_echo_the_secret(admin, browser):
    url = reverse("connections:authorization-create", args=[admin.vault_id]) + "?type=basic_auth__sys"

    answer = browser.post(url, {"name": "", "identity": "me", "secret": SECRET, "key": str(uuid4())})

    assert answer.status_code == 422
    assert SECRET not in answer.content.decode()


def test_authorization_page_lists_what_uses_it(admin, browser):
    connection = make_external(admin, name="Uses it", authorization=make_authorization(admin))

    page = browser.get(reverse("connections:authorization", args=[admin.vault_id, connection.authorization_id]))

    assert "Uses it" in page.content.decode()


def test_foreign_authorization_looks_like_a_missing_one(admin, browser):
    foreign = make_authorization(make_admin())

    for name in ("authorization", "authorization-edit"):
        assert browser.get(reverse(f"connections:{name}", args=[admin.vault_id, foreign.pk])).status_code == 404


def test_edit_with_an_empty_secret_keeps_it(admin, browser):
    authorization = make_authorization(admin)
    url = reverse("connections:authorization-edit", args=[admin.vault_id, authorization.pk])

    browser.post(
        url,
        hidden_fields(browser.get(url).content.decode())
        | {"name": "New", "identity": "other", "status": authorization.status},
    )

    authorization = fresh(authorization)
    assert (authorization.name, authorization.client_id) == ("New", "other")
    assert secrets.reveal(authorization.secret) == SECRET
