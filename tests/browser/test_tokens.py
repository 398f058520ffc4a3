import pytest
from playwright.sync_api import Page, expect

from connections.models import VaultToken
from tests.browser.conftest import new_person
from tests.factories.connections import make_authorization, make_external
from vaultadmin.models import Membership
from vaultadmin.standard_profiles import VAULT_OWNER

# Answered by the TLS port of the site under test.
URL = "https://ecoa.demo.test/${Vault.page}"


def act(page: Page, action: str) -> None:
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name=action).click()


def run_test(page: Page) -> None:
    expect(page.get_by_role("heading", name="Test connection")).to_be_visible()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="ecoa.demo.test answered 200.")).to_be_visible()
    expect(page.get_by_text("TLS 1.3")).to_be_visible()


@pytest.mark.parametrize(
    "look",
    [{"java_script_enabled": False}, {"width": 390, "theme": "dark"}],
    ids=["plain forms", "dialogs on a phone"],
)
def test_a_url_waits_for_its_token_and_then_passes_its_test(sign_in, two_vaults, look):
    alpha, _beta = two_vaults
    person = sign_in(new_person("Ask", VAULT_OWNER, alpha), **look)
    member = Membership.objects.for_request().get(user=person.user, vault=alpha)
    authorization = make_authorization(member)
    make_external(member, name="RTSM feed", api_name="rtsm_feed", url=URL, authorization=authorization)
    record, tokens = (f"/v/{alpha.pk}/admin/{path}/" for path in ("connections/rtsm_feed", "tokens"))

    page = person.open(record)
    expect(page.get_by_text("${Vault.page} is no token of this Vault.")).to_be_visible()
    person.open(tokens).get_by_role("link", name="Create", exact=True).click()
    page.get_by_label("Name", exact=True).fill("page")
    page.get_by_label("Label").fill("Page to ask for")
    page.get_by_label("Value", exact=True).fill("healthz")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="RTSM feed")).to_be_visible()
    person.open(record)
    expect(page.get_by_text("Resolves now to")).to_contain_text("https://ecoa.demo.test/healthz")
    act(page, "Test connection")
    run_test(page)
    person.open(f"/v/{alpha.pk}/admin/authorizations/{authorization.pk}/")
    act(page, "Test")
    run_test(page)

    assert VaultToken.objects.get().value == "healthz"
