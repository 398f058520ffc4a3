import csv

import pytest
from django.urls import reverse

from connections.constants import LookupType
from connections.models import ReferenceLookup
from tests.connections.pages import HTMX, hidden_fields, sign_in
from tests.factories.connections import make_admin, make_local, make_lookup, make_vault_to_vault
from tests.factories.people import make_member
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(admin):
    return make_vault_to_vault(admin, name="Safety link", api_name="safety")


def url(vault, name="lookups", *args):
    return reverse(f"connections:{name}", args=[vault.pk, *args])


def fill(browser, address, **values):
    hidden = hidden_fields(browser.get(address).content.decode())
    return browser.post(address, hidden | values)


def test_lookup_is_added_in_two_steps_without_script(browser, link):
    first = browser.get(url(link.vault, "lookup-add") + "?connection=safety").content.decode()
    assert "Choose a connection" in first
    assert '<option value="safety" selected' in first
    address = url(link.vault, "lookup-add") + "?connection=safety&type=object__sys"

    answer = fill(
        browser, address, name="country__v", target_key_field="code__sys", source_key=" U.S. ", target_key="US"
    )

    row = ReferenceLookup.objects.get()
    assert (row.type, row.target_object, row.source_key, row.target_key) == ("object__sys", "country__v", "U.S.", "US")
    assert answer["Location"] == url(link.vault) + "?connection=safety&type=object__sys&name=country__v"
    assert "U.S. now stands for US in country__v." in browser.get(answer["Location"]).content.decode()


def test_save_and_add_another_stays_with_the_same_lookup(browser, link):
    address = url(link.vault, "lookup-add") + "?connection=safety&type=generic__sys"

    answer = fill(browser, address, name="doc__c", source_key="a", target_key="b", another="1")

    assert answer["Location"].endswith("add/?connection=safety&type=generic__sys&name=doc__c")
    assert 'value="doc__c"' in browser.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "?connection=safety&type=x",
        "?connection=none&type=object__sys",
        "?type=object__sys",
        "?connection=local&type=object__sys",
    ],
)
def test_senseless_choices_ask_again(browser, admin, link, query):
    make_local(admin, api_name="local")

    answer = browser.get(url(link.vault, "lookup-add") + query)

    assert answer.status_code == 422
    assert "Lookup Type" in answer.content.decode()


def test_taken_key_is_refused_with_what_was_typed_kept(browser, link):
    make_lookup(link)
    address = url(link.vault, "lookup-add") + "?connection=safety&type=picklist__sys"

    answer = fill(browser, address, name="country__v", source_key="U.S.", target_key="<America>")

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "already stands for “United States”" in page
    assert "&lt;America&gt;" in page


def test_list_filters_and_searches(browser, admin, link):
    make_lookup(link)
    make_lookup(link, type=LookupType.GENERIC, name="doc__c", source_key="sop", target_key="Procedure")
    make_lookup(make_vault_to_vault(admin, api_name="other"), source_key="elsewhere")
    make_lookup(make_vault_to_vault(make_admin()), source_key="foreign")

    def found(query):
        page = browser.get(url(link.vault) + query).content.decode()
        return [key for key in ("U.S.", "sop", "elsewhere", "foreign") if f">{key}</a>" in page]

    assert found("") == ["U.S.", "sop", "elsewhere"]
    assert found("?connection=safety") == ["U.S.", "sop"]
    assert found("?type=generic__sys") == ["sop"]
    assert found("?name=country__v&connection=safety") == ["U.S."]
    assert found("?q=PROCED") == ["sop"]
    assert found("?status=inactive__v") == []
    assert found("?type=x&status=y&q=%00&before=z") == ["U.S.", "sop", "elsewhere"]


def test_list_pages_by_key(browser, link):
    for number in range(60):
        make_lookup(link, source_key=f"key {number:02}")

    first = browser.get(url(link.vault)).content.decode()
    older = browser.get(url(link.vault) + f"?before={ReferenceLookup.objects.order_by('-pk')[49].pk}").content.decode()

    assert "key 59" in first
    assert "key 09" not in first
    assert "key 09" in older
    assert "key 10" not in older


def test_download_is_what_the_filters_find_and_opens_safely(browser, link):
    make_lookup(link, source_key="=1+1")
    make_lookup(link, name="region__v")

    answer = browser.get(url(link.vault, "lookups-csv") + "?name=country__v")

    lines = list(csv.reader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))
    assert lines == [
        [
            *("connection__sys", "object_type__v", "name__v", "target_key_field__sys"),
            *("source_key__sys", "target_key__sys", "status__v"),
        ],
        ["safety", "picklist__sys", "country__v", "", "'=1+1", "United States", "active__v"],
    ]


def test_row_is_edited_switched_and_deleted_in_dialogs(browser, link):
    row = make_lookup(link)
    edit = url(link.vault, "lookup-edit", row.pk)

    assert fill(browser, edit, source_key="USA", target_key="United States").status_code == 302
    switched = browser.post(url(link.vault, "lookup-status", row.pk), {"status": "inactive__v"}, headers=HTMX)
    page = browser.get(url(link.vault, "lookup", row.pk)).content.decode()

    assert switched.status_code == 204
    assert "This lookup is Inactive" in page
    assert "USA" in page
    assert "cannot be undone" in browser.get(url(link.vault, "lookup-delete", row.pk)).content.decode()
    assert browser.post(url(link.vault, "lookup-delete", row.pk))["Location"] == url(link.vault)
    assert not ReferenceLookup.objects.exists()


def test_section_shows_each_lookup_with_its_keys(browser, admin, link):
    make_lookup(link)
    make_lookup(link, source_key="x", status="inactive__v")
    record = url(link.vault, "record", "safety")

    page = browser.get(record).content.decode()

    assert url(link.vault) + "?connection=safety&amp;type=picklist__sys&amp;name=country__v" in page
    assert "Only Vault to Vault connections support reference lookups." in (
        browser.get(url(link.vault, "record", make_local(admin).api_name)).content.decode()
    )


def test_manager_of_integrations_needs_no_right_on_connections(link):
    browser = sign_in(make_member(link.vault, Permission.MANAGE_INTEGRATIONS))
    row = make_lookup(link)

    page = browser.get(url(link.vault, "lookup", row.pk)).content.decode()

    assert "Safety link" in page
    assert url(link.vault, "record", "safety") not in page
    assert browser.get(url(link.vault)).status_code == 200
    assert browser.post(url(link.vault, "lookup-delete", row.pk)).status_code == 302


def test_reader_sees_lookups_without_a_button(link):
    browser = sign_in(make_member(link.vault, Permission.CONNECTION_READ))
    row = make_lookup(link)

    for page in (url(link.vault), url(link.vault, "lookup", row.pk), url(link.vault, "record", "safety")):
        html = browser.get(page).content.decode()
        assert "reference-lookups/add/" not in html
        assert '/status/"' not in html
    assert browser.get(url(link.vault, "lookup-add")).status_code == 403
