from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from connections.constants import ConnectionState
from connections.models import Connection
from tests.browser.conftest import new_person
from tests.factories.people import PASSWORD
from vaultadmin.standard_profiles import CONNECTION_APPROVER, VAULT_OWNER


def create_vault_to_vault(page: Page, name: str, api_name: str, remote: str = "") -> None:
    page.get_by_role("link", name="Connections", exact=True).first.click()
    page.get_by_role("link", name="Create", exact=True).click()
    page.get_by_role("radio", name="Vault to Vault").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("API Name", exact=True).fill(api_name)
    if remote:
        page.get_by_role("textbox", name="Remote Vault ID").fill(remote)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def download_file(page: Page, folder: Path) -> Path:
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Download Connection File").click()
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name="Download").click()
    target = folder / download.value.suggested_filename
    download.value.save_as(target)
    return target


def connect_from_file(page: Page, vault_id: int, file: Path) -> None:
    page.goto(page.url.split("/v/")[0] + f"/v/{vault_id}/admin/connections/")
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Connect from File").click()
    page.get_by_role("dialog").get_by_label("Choose").set_input_files(file)
    page.get_by_role("dialog").get_by_role("button", name="Continue").click()


def approve(page: Page, vault_id: int) -> None:
    page.goto(page.url.split("/v/")[0] + f"/v/{vault_id}/tasks/")
    page.get_by_role("link", name="Complete").click()
    dialog = page.get_by_role("dialog", name="Complete task")
    dialog.get_by_role("radio", name="Approve").check()
    dialog.get_by_label("Comment").fill("Checked by phone.")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Complete").click()
    expect(page.get_by_text("Nothing waits for your verdict")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_two_people_establish_a_connection_with_a_remote_vault_id(sign_in, two_vaults, tmp_path, width):
    alpha, beta = two_vaults
    asker, taker = (
        sign_in(new_person(name, VAULT_OWNER, vault), width=width) for name, vault in (("Ask", alpha), ("Take", beta))
    )

    if width == 390:
        asker.page.get_by_role("button", name="Open navigation").click()
    create_vault_to_vault(asker.page, "Alpha to Beta", "alpha_beta", str(beta.pk))
    connect_from_file(taker.page, beta.pk, download_file(asker.page, tmp_path))
    expect(taker.page.get_by_text("Active").first).to_be_visible()

    assert set(Connection.objects.filter(system_managed=False).values_list("state", flat=True)) == {
        ConnectionState.ACTIVE
    }


def test_approvers_of_both_vaults_establish_a_connection_without_a_remote_vault_id(sign_in, two_vaults, tmp_path):
    alpha, beta = two_vaults
    asker = sign_in(new_person("Ask", VAULT_OWNER, alpha))
    taker = sign_in(new_person("Take", VAULT_OWNER, beta))
    approver = sign_in(new_person("Approve", CONNECTION_APPROVER, alpha, beta))

    create_vault_to_vault(asker.page, "Alpha to Beta", "alpha_beta")
    connect_from_file(taker.page, beta.pk, download_file(asker.page, tmp_path))
    expect(taker.page.get_by_text("Pending").first).to_be_visible()
    approver.open(f"/v/{alpha.pk}/tasks/")
    approve(approver.page, alpha.pk)
    assert Connection.objects.get(vault=alpha, system_managed=False).state == ConnectionState.APPROVED
    approve(approver.page, beta.pk)

    assert set(Connection.objects.filter(system_managed=False).values_list("state", flat=True)) == {
        ConnectionState.ACTIVE
    }
    asker.page.reload()
    expect(asker.page.get_by_text("Active").first).to_be_visible()
    expect(asker.page.get_by_role("region", name="Workflow Timeline")).to_contain_text("Approve")


def test_requester_is_not_offered_their_own_request(sign_in, two_vaults, tmp_path):
    alpha, beta = two_vaults
    asker = sign_in(new_person("Ask", VAULT_OWNER, alpha))
    taker = sign_in(new_person("Take", VAULT_OWNER, beta))

    create_vault_to_vault(asker.page, "Alpha to Beta", "alpha_beta")
    connect_from_file(taker.page, beta.pk, download_file(asker.page, tmp_path))
    expect(taker.page.get_by_text("Pending").first).to_be_visible()
    taker.open(f"/v/{beta.pk}/tasks/")

    expect(taker.page.get_by_text("Nothing waits for your verdict")).to_be_visible()


def test_file_that_is_no_connection_file_says_so_and_changes_nothing(sign_in, two_vaults, tmp_path):
    _alpha, beta = two_vaults
    taker = sign_in(new_person("Take", VAULT_OWNER, beta))
    file = tmp_path / "shopping.txt"
    file.write_text("milk, bread")

    connect_from_file(taker.page, beta.pk, file)

    expect(taker.page.get_by_role("dialog").locator(".field-error, .form-errors").first).to_be_visible()
    assert not Connection.objects.filter(system_managed=False).exists()
