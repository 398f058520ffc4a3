import re
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, expect

from tests.browser.conftest import BY, Person
from tests.factories.people import PASSWORD, make_user
from tests.tools.fixtures import LiveSite
from vaultadmin import clock
from vaultadmin.models import Application, Membership, Vault
from vaultadmin.services import people, vaults

CHOSEN = "a phrase for a newcomer"


@pytest.fixture
def vault(live_site: LiveSite) -> Vault:
    return vaults.create_vault(
        id=7001,
        name="Quality",
        dns="quality.example.com",
        application=Application.QUALITY,
        by=BY,
        now=clock.now(),
    )


@pytest.fixture
def owner(vault: Vault) -> Membership:
    user = make_user(email="ana@example.test", name="Ana Silva", password=PASSWORD)
    return people.make_owner(user, vault=vault, by=BY)


def test_a_newcomer_is_invited_chooses_a_password_and_works(
    owner: Membership, sign_in: Callable[..., Person], browser: Browser
) -> None:
    page = sign_in(owner.user).open("/v/7001/admin/users/")
    page.get_by_role("link", name="Invite user").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("E-mail address").fill("cy@example.test")
    dialog.get_by_label("Printed name").fill("Cy Okafor")
    dialog.get_by_label("Security profile").select_option(label="Auditor")
    dialog.get_by_role("button", name="Invite").click()
    link = dialog.locator("code").first.inner_text()
    expect(page.get_by_role("link", name="Cy Okafor")).to_be_visible()

    theirs = browser.new_context(java_script_enabled=False).new_page()
    theirs.goto(re.sub(r"^https?://[^/]+", page.url.split("/v/")[0], link))
    theirs.get_by_label("New password", exact=True).fill(CHOSEN)
    theirs.get_by_label("New password again").fill(CHOSEN)
    theirs.get_by_role("button", name="Set password").click()
    theirs.locator("input[name=login]").fill("cy@example.test")
    theirs.locator("input[name=password]").fill(CHOSEN)
    theirs.get_by_role("button", name="Sign in", exact=True).click()

    expect(theirs).to_have_url(re.compile("/v/7001/$"))
    theirs.context.close()


def test_a_passkey_is_set_up_and_opens_the_door_without_a_password(
    owner: Membership, sign_in: Callable[..., Person]
) -> None:
    person = sign_in(owner.user)
    page = person.page
    key = page.context.new_cdp_session(page)
    key.send("WebAuthn.enable")
    key.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    person.open("/accounts/2fa/webauthn/add/")
    page.locator("input[name=name]").fill("Laptop")
    page.locator("input[name=passwordless]").check()
    page.locator("main").get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert Authenticator.objects.filter(user=owner.user, type=Authenticator.Type.WEBAUTHN).exists()

    page.context.clear_cookies()
    person.open("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page).to_have_url(re.compile("/v/7001/$"))


def test_a_token_is_copied_once_and_revoked(owner: Membership, sign_in: Callable[..., Person]) -> None:
    page = sign_in(owner.user).open("/v/7001/my/tokens/")
    page.get_by_role("link", name="Create token").first.click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Name").fill("RTSM push")
    dialog.get_by_label("eCOA: Manage").check()
    dialog.get_by_role("button", name="Create").click()
    raw = dialog.locator("code").first.inner_text()
    dialog.get_by_role("link", name="Done").click()
    expect(page.locator("#list")).to_contain_text("RTSM push")
    assert raw not in page.content()

    page.get_by_role("link", name="Revoke RTSM push").click()
    page.locator("#dialog").get_by_role("button", name="Revoke").click()

    expect(page.locator("#list")).to_contain_text("Revoked")
