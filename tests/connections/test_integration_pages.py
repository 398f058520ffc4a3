import pytest
from django.urls import reverse

from connections.models import Integration, IntegrationPoint
from tests.connections.pages import HTMX, hidden_fields, sign_in
from tests.factories.connections import make_external, make_integration, make_local, make_point, make_vault_to_vault
from tests.factories.people import make_member
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(admin):
    return make_vault_to_vault(admin)


def record(connection):
    return reverse("connections:record", args=[connection.vault_id, connection.api_name])


def page_of(integration, name=""):
    route = f"connections:integration-{name}" if name else "connections:integration"
    return reverse(route, args=[integration.vault_id, integration.connection.api_name, integration.pk])


def fill(browser, address, **values):
    hidden = hidden_fields(browser.get(address).content.decode())
    return browser.post(address, hidden | values)


def test_custom_integration_is_made_with_points_without_script(browser, link):
    create = f"{record(link)}integrations/create/"
    answer = fill(browser, create, name="Claims", api_name="claims__c", description="Why")
    made = Integration.objects.get()
    assert answer["Location"] == page_of(made)

    answer = fill(
        browser, page_of(made, "point-add"), type="sender__sys", name="Send", api_name="send__c", status="active__v"
    )

    assert answer["Location"] == page_of(made)
    page = browser.get(page_of(made)).content.decode()
    assert "send__c" in page
    assert "Send was added." in page


def test_section_lists_integrations_with_their_switch(browser, link):
    standard = make_integration(link, name="Study Data", api_name="study__v", system_managed=True)
    make_point(standard, api_name="study_oip__v")

    page = browser.get(record(link)).content.decode()

    assert "Standard, read-only" in page
    assert 'aria-label="Inactivate Study Data"' in page
    assert page_of(standard, "status") in page


def test_switch_posts_what_is_wanted_and_shows_it(browser, link):
    made = make_integration(link)

    for _ in range(2):
        answer = browser.post(page_of(made, "status"), {"status": "inactive__v"}, headers=HTMX)
        assert answer.status_code == 204
        assert "connection:changed" in answer["HX-Trigger"]

    page = browser.get(page_of(made)).content.decode()
    assert "This integration is Inactive" in page
    assert 'aria-label="Activate Warranty claims"' in page


@pytest.mark.parametrize("status", ["", "on", "active", "\x00"])
def test_switch_takes_nothing_but_the_two_statuses(browser, link, status):
    made = make_integration(link)

    assert browser.post(page_of(made, "status"), {"status": status}).status_code == 400
    assert Integration.objects.get().is_active


@pytest.mark.parametrize("make", [make_local, make_external])
def test_other_types_say_that_they_support_no_integrations(browser, admin, make):
    connection = make(admin)

    assert "Only Vault to Vault connections support integrations." in browser.get(record(connection)).content.decode()
    answer = browser.post(f"{record(connection)}integrations/create/", {})
    assert answer.status_code == 409


def test_standard_integration_shows_why_it_cannot_be_changed(browser, link):
    standard = make_integration(link, name="Study Data", api_name="study__v", system_managed=True)
    point = make_point(standard, api_name="study_oip__v")
    own = reverse("connections:integration-point-edit", args=[link.vault_id, link.api_name, standard.pk, point.pk])

    page = browser.get(page_of(standard)).content.decode()

    assert page.count("only their Status can be changed") == 2
    assert own not in page
    for address in (page_of(standard, "edit"), page_of(standard, "delete"), page_of(standard, "point-add"), own):
        assert "only their Status can be changed" in browser.get(address).content.decode()
        assert browser.post(address, {}).status_code in (409, 422)
    assert IntegrationPoint.objects.get() == point


def test_refused_name_keeps_what_was_typed(browser, link):
    answer = fill(browser, f"{record(link)}integrations/create/", name="Claims <b>", api_name="claims")

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "ends in __c" in page
    assert "Claims &lt;b&gt;" in page


def test_copy_offers_a_free_name_and_leads_to_the_copy(browser, link):
    standard = make_integration(link, api_name="study__v", system_managed=True)
    make_point(standard, api_name="study_oip__v")
    page = browser.get(page_of(standard, "copy")).content.decode()
    assert 'value="study__c"' in page

    answer = fill(browser, page_of(standard, "copy"), connection=link.pk, name="Mine", api_name="study__c")

    made = Integration.objects.get(api_name="study__c")
    assert answer["Location"] == page_of(made)
    assert made.points.get().api_name == "study_oip__c"


def test_copy_goes_to_no_connection_of_another_kind(browser, admin, link):
    made = make_integration(link)

    answer = fill(browser, page_of(made, "copy"), connection=make_local(admin).pk, name="Mine", api_name="mine__c")

    assert answer.status_code == 422


def test_delete_and_remove_ask_first(browser, link):
    made = make_integration(link)
    point = make_point(made)
    remove = reverse("connections:integration-point-remove", args=[link.vault_id, link.api_name, made.pk, point.pk])

    assert "cannot be undone" in browser.get(remove).content.decode()
    browser.post(remove)
    assert not IntegrationPoint.objects.exists()
    assert "cannot be undone" in browser.get(page_of(made, "delete")).content.decode()
    assert browser.post(page_of(made, "delete"))["Location"] == f"{record(link)}#integrations"
    assert browser.get(page_of(made)).status_code == 404


def test_integration_is_found_only_below_its_connection(browser, admin, link):
    made = make_integration(link)
    other = make_vault_to_vault(admin)
    point = make_point(make_integration(link))

    wrong = reverse("connections:integration", args=[link.vault_id, other.api_name, made.pk])
    assert browser.get(wrong).status_code == 404
    wrong = reverse("connections:integration-point-edit", args=[link.vault_id, link.api_name, made.pk, point.pk])
    assert browser.get(wrong).status_code == 404


def test_reader_sees_integrations_without_a_button(link):
    made = make_integration(link)
    browser = sign_in(make_member(link.vault, Permission.CONNECTION_READ))

    for page in (record(link), page_of(made)):
        html = browser.get(page).content.decode()
        assert made.name in html
        assert '/status/"' not in html
    assert browser.post(page_of(made, "status"), {"status": "inactive__v"}).status_code == 403
