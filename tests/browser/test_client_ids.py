import re

import pytest
import requests
from django.utils import timezone
from playwright.sync_api import Page, expect

from connections.services import creating
from tests.browser.axe import findings
from tests.browser.conftest import Person, new_person
from tests.factories.people import PASSWORD
from vaultadmin.models import Membership, VaultSettings
from vaultadmin.standard_profiles import INTEGRATION_USER, VAULT_OWNER

# Every section of the record fetches itself anew, on a machine that may be busy.
SLOW = 30_000


@pytest.fixture
def acme(two_vaults):
    """An External connection of the first vault through which a robot acts."""
    alpha, _beta = two_vaults
    owner = new_person("Owner", VAULT_OWNER, alpha)
    robot = new_person("Robot", INTEGRATION_USER, alpha)
    creating.create_external(
        name="Acme RTSM",
        api_name="acme",
        by=Membership.objects.for_request().get(user=owner),
        authorized_user=Membership.objects.for_request().get(user=robot),
        now=timezone.now(),
    )
    return owner, robot


def signs_in(person: Person, robot, client_id: str) -> str:
    """What a program gets that signs in over the network."""
    answer = requests.post(
        f"{person.base}/v/1001/api/v24.3/auth",
        data={"username": robot.email, "password": PASSWORD},
        headers={"X-VaultAPI-ClientID": client_id},
        timeout=30,
    )
    assert answer.status_code == 200
    return answer.json()["responseStatus"]


def add(page: Page, client_id: str) -> None:
    page.get_by_role("button", name="Add Client ID").click()
    page.get_by_label("Name", exact=True).fill("Acme production")
    page.get_by_label("Client ID", exact=True).fill("not legal")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_label("Client ID", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Client ID", exact=True).fill(client_id)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#clients code", has_text=client_id)).to_be_visible(timeout=SLOW)


def switch_filtering_on(page: Page) -> None:
    page.get_by_role("checkbox", name="Client ID Filtering").check()
    page.get_by_label("Reason").fill("Only programs we know")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("will refuse the callers listed below")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings were saved.").first).to_be_visible()
    expect(page.get_by_role("checkbox", name="Client ID Filtering")).to_be_checked()


@pytest.mark.parametrize("look", [{"theme": "light"}, {"theme": "dark", "width": 390}], ids=["wide", "narrow"])
def test_client_ids_are_approved_filtered_and_seen_in_the_usage_log(sign_in, acme, look):
    owner, robot = acme
    person = sign_in(owner, **look)
    assert signs_in(person, robot, "somebody-else") == "SUCCESS"

    page = person.open("/v/1001/admin/connections/acme/")
    add(page, "acme-production")
    assert findings(page, within="#clients") == []
    page = person.open("/v/1001/admin/settings/")
    expect(page.get_by_text("somebody-else")).to_be_visible()
    switch_filtering_on(page)
    assert findings(page) == []

    assert signs_in(person, robot, "somebody-else") == "FAILURE"
    assert signs_in(person, robot, "acme-production") == "SUCCESS"
    page = person.open("/v/1001/admin/connections/acme/")
    page.get_by_role("button", name=re.compile("Inactivate acme-production")).click()
    page.get_by_role("dialog").get_by_role("button", name="Inactivate").click()
    expect(page.get_by_role("button", name="Activate acme-production", exact=True)).to_be_visible(timeout=SLOW)
    assert signs_in(person, robot, "acme-production") == "FAILURE"

    page = person.open("/v/1001/admin/api-usage/?client_id=acme-production")
    expect(page.get_by_text("Success", exact=True)).to_have_count(1)
    expect(page.get_by_text("INSUFFICIENT_ACCESS")).to_have_count(1)
    assert findings(page) == []


def test_client_ids_and_settings_work_by_plain_forms(sign_in, acme):
    owner, robot = acme
    person = sign_in(owner, java_script_enabled=False)
    assert signs_in(person, robot, "somebody-else") == "SUCCESS"

    add(person.open("/v/1001/admin/connections/acme/"), "acme-production")
    switch_filtering_on(person.open("/v/1001/admin/settings/"))

    assert VaultSettings.objects.get(vault=1001).client_id_filtering
    assert signs_in(person, robot, "acme-production") == "SUCCESS"
