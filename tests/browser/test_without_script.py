import pytest
from playwright.sync_api import Page, expect

from connections.constants import ConnectionState
from connections.models import Connection
from ecoa.models import Participant
from ecoa.services import sites
from tests.browser.conftest import BY, new_person
from tests.factories.ecoa import make_mapping
from tests.factories.people import PASSWORD
from vaultadmin.models import Membership
from vaultadmin.standard_profiles import CONNECTION_APPROVER, VAULT_OWNER


@pytest.fixture
def sign_in_plainly(sign_in):
    return lambda user: sign_in(user, java_script_enabled=False)


def choose(page: Page, action: str) -> None:
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name=action).click()
    expect(page.get_by_role("heading", name=action, level=1)).to_be_visible()


def create_by_wizard(page: Page, path: str) -> None:
    page.goto(path)
    page.get_by_role("link", name="Create", exact=True).click()
    page.get_by_role("radio", name="Vault to Vault").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name", exact=True).fill("Alpha to Beta")
    page.get_by_label("API Name", exact=True).fill("Not an API name")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("API Name", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("API Name", exact=True).fill("alpha_beta")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Alpha to Beta")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Alpha to Beta", level=1)).to_be_visible()


def approve(page: Page, path: str) -> None:
    page.goto(path)
    page.get_by_role("link", name="Complete", exact=True).click()
    expect(page.get_by_role("heading", name="Complete task", level=1)).to_be_visible()
    page.get_by_role("radio", name="Approve").check()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Complete").click()
    page.goto(path)
    expect(page.get_by_text("Nothing waits for your verdict")).to_be_visible()


def test_a_connection_is_established_by_plain_forms(sign_in_plainly, two_vaults, tmp_path):
    alpha, beta = two_vaults
    asker = sign_in_plainly(new_person("Ask", VAULT_OWNER, alpha))
    taker = sign_in_plainly(new_person("Take", VAULT_OWNER, beta))
    approver = sign_in_plainly(new_person("Approve", CONNECTION_APPROVER, alpha, beta))

    create_by_wizard(asker.page, f"{asker.base}/v/{alpha.pk}/admin/connections/")
    choose(asker.page, "Download Connection File")
    with asker.page.expect_download() as download:
        asker.page.get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "file.json")
    choose(taker.open(f"/v/{beta.pk}/admin/connections/"), "Connect from File")
    taker.page.get_by_label("Choose").set_input_files(tmp_path / "file.json")
    taker.page.get_by_role("button", name="Continue").click()
    expect(taker.page.get_by_text("An approval now waits").first).to_be_visible()
    for vault in (alpha, beta):
        approve(approver.page, f"{approver.base}/v/{vault.pk}/tasks/")

    assert set(Connection.objects.filter(system_managed=False).values_list("state", flat=True)) == {
        ConnectionState.ACTIVE
    }


def test_a_small_file_is_imported_by_plain_forms(sign_in_plainly, two_vaults, tmp_path):
    alpha, _beta = two_vaults
    manager = sign_in_plainly(new_person("Manager", VAULT_OWNER, alpha))
    mapping = make_mapping(Membership.objects.get(user=manager.user, vault=alpha), name="Study seven")
    sites.add(mapping=mapping, number="1005", by=BY)
    file = tmp_path / "participants.csv"
    file.write_text("site,participantId,internalId\n1005,1005-001,in-1\n9999,9999-001,in-2\n")

    page = manager.open(f"/v/{alpha.pk}/ecoa/import/")
    page.get_by_label("Study", exact=True).select_option(label="Study seven")
    page.get_by_label("Choose").set_input_files(file)
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_role("row").filter(has_text="9999-001")).to_be_visible()
    page.get_by_role("checkbox", name="Send to eCOA").uncheck()
    page.get_by_role("button", name="Import 1 row").click()
    expect(page.locator("#file-sentence")).to_contain_text("imported")

    assert Participant.objects.get().participant_id == "1005-001"


def test_filters_and_pages_of_a_list_work_as_links_and_forms(sign_in_plainly, two_vaults):
    alpha, _beta = two_vaults
    page = sign_in_plainly(new_person("Ask", VAULT_OWNER, alpha)).open(f"/v/{alpha.pk}/admin/audit/")

    page.get_by_label("Event").fill("security_profile.created")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="Remove filter").click()

    expect(page.get_by_label("Event")).to_have_value("")
