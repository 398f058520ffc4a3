import re

import pytest
from playwright.sync_api import Page, expect

from connections.services import creating
from ecoa.services import sites
from tests.browser.conftest import BY, new_person
from tests.factories.ecoa import make_mapping, make_participants
from vaultadmin import clock
from vaultadmin.models import Membership
from vaultadmin.standard_profiles import VAULT_OWNER


@pytest.fixture
def owner(sign_in, two_vaults):
    vault, _other = two_vaults
    person = sign_in(new_person("Ask", VAULT_OWNER, vault))
    member = Membership.objects.get(user=person.user, vault=vault)
    for name in ("Quality to RIM", "Safety to Medical"):
        creating.create_vault_to_vault(name=name, api_name=name.lower().replace(" ", "_"), by=member, now=clock.now())
    person.member = member
    return person


def connections(owner) -> Page:
    return owner.open(f"/v/{owner.member.vault_id}/admin/connections/")


def test_the_palette_finds_a_connection_and_goes_there(owner):
    page = owner.open(f"/v/{owner.member.vault_id}/")

    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()
    page.keyboard.type("quality to rim")
    expect(page.get_by_role("option", name=re.compile("Quality to RIM"))).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Quality to RIM", level=1)).to_be_visible()


def test_slash_goes_to_the_filter_and_typing_keeps_the_focus_there(owner):
    page = connections(owner)

    page.keyboard.press("/")
    expect(page.locator("#filter")).to_be_focused()
    page.keyboard.type("safety")
    expect(page.get_by_role("link", name="Quality to RIM")).to_have_count(0)

    expect(page.get_by_role("link", name="Safety to Medical")).to_be_visible()
    expect(page.locator("#filter")).to_be_focused()
    expect(page.locator("#filter")).to_have_value("safety")


def test_question_mark_lists_the_keys_and_escape_closes_them(owner):
    page = connections(owner)

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_a_menu_is_walked_by_arrows_and_a_dialog_gives_the_focus_back(owner):
    page = connections(owner)
    actions = page.get_by_role("button", name="Actions")

    actions.focus()
    page.keyboard.press("Enter")
    first, last = page.get_by_role("menuitem").first, page.get_by_role("menuitem").last
    expect(first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(last).to_be_focused()
    page.keyboard.press("Escape")
    expect(actions).to_be_focused()

    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Connect from File").press("Enter")
    dialog = page.get_by_role("dialog", name="Connect from File")
    expect(dialog).to_be_visible()
    assert dialog.evaluate("dialog => dialog.contains(document.activeElement)")
    page.keyboard.press("Escape")

    expect(dialog).to_be_hidden()
    expect(actions).to_be_focused()


def test_the_skip_link_is_first_and_leads_to_the_content(owner):
    page = connections(owner)

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("main")).to_be_focused()


def test_the_focus_stays_where_it_was_when_a_live_list_changes(owner):
    mapping = make_mapping(owner.member)
    site = sites.add(mapping=mapping, number="1005", by=BY)
    make_participants(site, participant_id="1005-002")
    page = owner.open(f"/v/{owner.member.vault_id}/ecoa/studies/{mapping.external_study_id}/sites/1005/")
    link = page.get_by_role("link", name="1005-002", exact=True)

    link.focus()
    make_participants(site, participant_id="1005-001")
    expect(page.get_by_role("link", name="1005-001", exact=True)).to_be_visible()

    expect(link).to_be_focused()
