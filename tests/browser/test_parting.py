import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from connections.constants import ConnectionState
from connections.models import Connection, IssuedFile
from tests.browser.axe import findings
from tests.browser.conftest import new_person
from tests.browser.test_establish import connect_from_file, create_vault_to_vault, download_file
from tests.factories.people import PASSWORD
from vaultadmin.standard_profiles import VAULT_OWNER

# Milliseconds for what a whole handshake or a new page takes on a busy machine.
PATIENCE = 20_000


def state_of(vault) -> str:
    return Connection.objects.get(vault=vault, api_name="alpha_beta").get_state_display()


def open_record(person, vault) -> Page:
    return person.open(f"/v/{vault.pk}/admin/connections/alpha_beta/")


def choose(page: Page, action: str) -> None:
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name=action).click()


@pytest.fixture
def established(sign_in, two_vaults, tmp_path):
    alpha, beta = two_vaults
    asker, taker = sign_in(new_person("Ask", VAULT_OWNER, alpha)), sign_in(new_person("Take", VAULT_OWNER, beta))
    create_vault_to_vault(asker.page, "Alpha to Beta", "alpha_beta", str(beta.pk))
    connect_from_file(taker.page, beta.pk, download_file(asker.page, tmp_path))
    expect(taker.page.get_by_text("is established").first).to_be_visible(timeout=PATIENCE)
    return asker, taker


def test_record_is_reset_named_anew_and_re_established_then_deleted(established, two_vaults, tmp_path):
    alpha, beta = two_vaults
    asker, taker = established
    page = open_record(asker, alpha)

    choose(page, "Reset Connection")
    dialog = page.get_by_role("dialog", name="Reset Connection")
    expect(dialog).to_contain_text("The other Vault is not told")
    dialog.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("link", name="Enter Remote Vault ID")).to_be_visible(timeout=PATIENCE)
    assert (state_of(alpha), state_of(beta)) == ("Pending", "Active")

    page.get_by_role("link", name="Enter Remote Vault ID").click()
    page.get_by_role("textbox", name="Remote Vault ID").fill(str(beta.pk))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("was saved").first).to_be_visible(timeout=PATIENCE)
    file = download_file(page, tmp_path)
    other = open_record(taker, beta)
    choose(other, "Connect from File")
    other.get_by_role("dialog").get_by_label("Choose").set_input_files(file)
    other.get_by_role("dialog").get_by_role("button", name="Continue").click()
    expect(other.get_by_text("is established").first).to_be_visible(timeout=PATIENCE)
    assert (state_of(alpha), state_of(beta)) == ("Active", "Active")

    page.reload()
    choose(page, "Delete")
    dialog = page.get_by_role("dialog", name="Delete")
    expect(dialog).to_contain_text(f"Vault {beta.pk}")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Alpha to Beta was deleted.").first).to_be_visible()
    assert state_of(beta) == "Disconnected"
    other.reload()
    expect(other.get_by_role("main")).to_contain_text("The other Vault deleted its connection record")


def test_downloading_says_so_and_brings_the_page_up_to_date(sign_in, two_vaults, tmp_path):
    alpha, _beta = two_vaults
    page = sign_in(new_person("Ask", VAULT_OWNER, alpha)).page
    create_vault_to_vault(page, "Alpha to Beta", "alpha_beta")

    file = download_file(page, tmp_path)

    assert file.name == "alpha_beta.connection.json"
    expect(page.get_by_text("The connection file was downloaded").first).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("A connection file is out")).to_be_visible()
    assert IssuedFile.objects.count() == 1


def test_download_that_is_not_possible_any_more_says_why_in_the_dialog(sign_in, two_vaults):
    alpha, _beta = two_vaults
    page = sign_in(new_person("Ask", VAULT_OWNER, alpha)).page
    create_vault_to_vault(page, "Alpha to Beta", "alpha_beta")
    choose(page, "Download Connection File")
    expect(page.get_by_role("dialog").get_by_role("button", name="Download")).to_be_visible()
    Connection.objects.filter(vault=alpha, api_name="alpha_beta").update(state=ConnectionState.APPROVED)

    page.get_by_role("dialog").get_by_role("button", name="Download").click()

    expect(page.get_by_role("dialog")).to_contain_text("This connection is Approved")


def test_proving_who_one_is_leads_back_to_the_record_with_its_dialog(established, two_vaults):
    alpha, _beta = two_vaults
    asker, _taker = established
    page = open_record(asker, alpha)
    for session in Session.objects.all():
        store = session.get_decoded()
        store["account_authentication_methods"] = [{"method": "password", "at": 0}]
        Session.objects.filter(pk=session.pk).update(session_data=Session.objects.encode(store))

    choose(page, "Reset Connection")
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()

    expect(page.get_by_role("dialog", name="Reset Connection")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("heading", name="Alpha to Beta", level=1)).to_be_attached()
    assert "dialog=" not in page.url
    page.get_by_role("dialog").get_by_role("button", name="Continue").click()
    expect(page.get_by_text("was reset").first).to_be_visible(timeout=PATIENCE)
    assert state_of(alpha) == "Pending"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_dialogs_and_banners_are_accessible(sign_in, two_vaults, theme, width):
    alpha, _beta = two_vaults
    owner = new_person("Ask", VAULT_OWNER, alpha)
    person = sign_in(owner, theme=theme, width=width)
    person.open(f"/v/{alpha.pk}/admin/connections/create/")
    page = person.page
    page.get_by_role("radio", name="Local").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name", exact=True).fill("Itself")
    page.get_by_label("API Name", exact=True).fill("itself")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Save").click()

    for action in ("Inactivate", "Delete"):
        choose(page, action)
        expect(page.get_by_role("dialog", name=action)).to_be_visible()
        assert findings(page) == []
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
