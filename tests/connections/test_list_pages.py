import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections.constants import ConnectionType
from connections.home import connections as home
from connections.selectors import connections as selectors
from tests.factories.connections import (
    make_authorization,
    make_external,
    make_local,
    make_vault_to_vault,
)
from tests.factories.people import make_member
from vaultadmin.together import answer

pytestmark = pytest.mark.django_db


def test_list_searches_filters_and_sorts_from_its_address(admin, browser):
    make_local(admin, name="Alpha", api_name="alpha")
    make_external(admin, name="Beta", api_name="beta")
    make_vault_to_vault(admin, name="Gamma", api_name="gamma", remote_vault_id=4711)
    url = reverse("connections:list", args=[admin.vault_id])

    def names(query):
        page = browser.get(url + query).content.decode()
        return [name for name in ("Alpha", "Beta", "Gamma") if f">{name}</a>" in page]

    assert names("") == ["Alpha", "Beta", "Gamma"]
    assert names("?q=alp") == ["Alpha"]
    assert names("?q=4711") == ["Gamma"]
    assert names("?type=external__sys") == ["Beta"]
    assert names("?state=pending_state__sys") == ["Gamma"]
    assert names("?state=nonsense&type=nonsense&after=x&sort=nonsense") == ["Alpha", "Beta", "Gamma"]
    page = browser.get(url + "?sort=-name").content.decode()
    assert page.index(">Gamma</a>") < page.index(">Alpha</a>")


def test_list_finds_a_record_by_its_id(admin, browser):
    connection = make_local(admin, name="Alpha")
    make_local(admin, name="Beta")

    page = browser.get(reverse("connections:list", args=[admin.vault_id]) + f"?q={connection.record_id}").content

    assert b">Alpha</a>" in page
    assert b">Beta</a>" not in page


def test_list_sorts_names_as_people_do(admin, browser):
    for name in ("Zeta", "eCOA", "EDC"):
        make_local(admin, name=name)

    rows = browser.get(reverse("connections:list", args=[admin.vault_id])).context["rows"]

    assert [connection.name for connection, _ in rows] == ["eCOA", "EDC", "Zeta"]


def test_list_pages_by_key(admin, browser, monkeypatch):
    monkeypatch.setattr(selectors, "PAGE", 2)
    for number in range(5):
        make_local(admin, name="Same", api_name=f"same_{number}")
    seen, url = [], reverse("connections:list", args=[admin.vault_id])

    while url:
        context = browser.get(url).context
        seen += [connection.api_name for connection, _ in context["rows"]]
        url = context["older_url"]

    assert seen == [f"same_{number}" for number in range(5)]


def test_list_takes_the_same_queries_at_any_size(admin, browser):
    url = reverse("connections:list", args=[admin.vault_id])
    make_local(admin)
    browser.get(url)
    with CaptureQueriesContext(database) as few:
        browser.get(url)
    for _ in range(20):
        make_external(admin, authorization=make_authorization(admin), authorized_user=admin)

    with CaptureQueriesContext(database) as many:
        browser.get(url)

    assert len(many) == len(few)


def test_empty_list_offers_the_three_types(admin, browser):
    page = browser.get(reverse("connections:list", args=[admin.vault_id])).content.decode()

    assert "No connections yet" in page
    for type_ in ConnectionType.values:
        assert f"?type={type_}" in page


def test_home_tile_and_palette_know_connections(admin):
    make_vault_to_vault(admin, name="Unfinished")
    reader = make_member(admin.vault)

    assert answer(home.cards(admin))[0].sentence == "1 not established yet"
    assert [hit.label for hit in home.hits(admin, "unfin")] == ["Unfinished"]
    assert answer(home.cards(reader)) == []
    assert home.hits(reader, "unfin") == []
