import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from connections.constants import ConnectionState
from connections.models import Connection
from connections.services import creating, editing
from connections.services.handshake import establishing, files
from tests.browser.axe import findings
from tests.browser.conftest import new_person
from tests.factories.people import PASSWORD
from vaultadmin.models import Membership, Signature
from vaultadmin.standard_profiles import CONNECTION_APPROVER, VAULT_OWNER

# Checking a password costs time by intention, and more of it on a busy machine.
PATIENCE = 20_000
KEY = "00000000-0000-0000-0000-000000000007"


@pytest.fixture
def request_waiting(two_vaults):
    """A request from Alpha to Beta that people on both sides must decide; returns Beta's binding."""
    alpha, beta = two_vaults
    people = (new_person("Ask", VAULT_OWNER, alpha), new_person("Take", VAULT_OWNER, beta))
    asker, taker = (Membership.objects.for_request().get(user=person) for person in people)
    now = timezone.now()
    record = creating.create_vault_to_vault(name="Alpha to Beta", api_name="alpha_beta", by=asker, now=now)
    given = files.issue(connection=record, file_id=KEY, by=asker, now=now)
    return establishing.connect_from_file(raw=given.content, by=taker, now=now)


def open_inbox(person, vault_id: int) -> Page:
    page = person.open(f"/v/{vault_id}/tasks/")
    expect(page.get_by_role("link", name="Complete")).to_be_visible()
    return page


def test_whole_approval_by_keyboard_on_both_sides(sign_in, two_vaults, request_waiting):
    alpha, beta = two_vaults
    approver = sign_in(new_person("Approve", CONNECTION_APPROVER, alpha, beta))

    for vault in (beta, alpha):
        page = open_inbox(approver, vault.pk)
        page.keyboard.press("j")
        page.keyboard.press("a")
        dialog = page.get_by_role("dialog", name="Complete task")
        expect(dialog.get_by_role("heading", name="Complete task")).to_be_focused()
        expect(dialog.get_by_text(request_waiting.six_words)).to_be_visible()
        expect(dialog.get_by_role("radio", name="Approve")).to_be_checked()
        dialog.get_by_label("Password").focus()
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_text("Nothing waits for your verdict")).to_be_visible(timeout=PATIENCE)

    ours = Connection.objects.filter(system_managed=False)
    assert set(ours.values_list("state", flat=True)) == {ConnectionState.ACTIVE}
    assert Signature.objects.count() == 2
    page = approver.open(f"/v/{beta.pk}/admin/connections/alpha_beta/")
    timeline = page.get_by_role("region", name="Workflow Timeline")
    expect(timeline.get_by_text("Signed: Approval of connection")).to_have_count(2)


def test_wrong_password_keeps_the_dialog_and_changes_nothing(sign_in, two_vaults, request_waiting):
    beta = two_vaults[1]
    approver = sign_in(new_person("Approve", CONNECTION_APPROVER, beta))
    page = open_inbox(approver, beta.pk)

    page.keyboard.press("r")
    dialog = page.get_by_role("dialog", name="Complete task")
    dialog.get_by_label("Comment").fill("Not this company.")
    dialog.get_by_label("Password").fill("wrong horse")
    dialog.get_by_role("button", name="Complete").click()

    expect(dialog.get_by_text("This is not your password")).to_be_visible(timeout=PATIENCE)
    expect(dialog.get_by_label("Comment")).to_have_value("Not this company.")
    assert not Signature.objects.exists()


def test_change_while_the_dialog_is_open_must_be_looked_at_again(sign_in, two_vaults, request_waiting):
    beta = two_vaults[1]
    taker = request_waiting.requested_by
    approver = sign_in(new_person("Approve", CONNECTION_APPROVER, beta))
    page = open_inbox(approver, beta.pk)
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name="Complete task")
    expect(dialog.get_by_label("Password")).to_be_visible()
    connection = request_waiting.connection
    editing.edit(connection=connection, changes={"authorized_user": taker}, by=taker, now=timezone.now())

    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Complete").click()

    expect(dialog.get_by_text("This changed since you opened it")).to_be_visible(timeout=PATIENCE)
    expect(dialog.locator("ins").first).to_contain_text("Take")
    assert not Signature.objects.exists()


def test_single_keys_of_the_inbox_can_be_turned_off(sign_in, two_vaults, request_waiting):
    beta = two_vaults[1]
    approver = sign_in(new_person("Approve", CONNECTION_APPROVER, beta))
    page = open_inbox(approver, beta.pk)
    expect(page.get_by_text("go through the tasks")).to_be_visible()
    page.keyboard.press("?")
    page.get_by_label("Single-key shortcuts are on").uncheck()
    page.keyboard.press("Escape")

    page.keyboard.press("a")

    expect(page.get_by_text("go through the tasks")).to_be_hidden()
    expect(page.get_by_role("dialog", name="Complete task")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_inbox_dialog_and_timeline_are_accessible(sign_in, two_vaults, request_waiting, theme, width):
    beta = two_vaults[1]
    approver = sign_in(new_person("Approve", CONNECTION_APPROVER, beta), theme=theme, width=width)
    page = open_inbox(approver, beta.pk)
    assert findings(page) == []
    page.get_by_role("link", name="Complete").click()
    expect(page.get_by_role("dialog", name="Complete task").get_by_label("Password")).to_be_visible()
    assert findings(page) == []

    page.goto(f"{approver.base}/v/{beta.pk}/admin/connections/alpha_beta/")
    assert findings(page) == []
