from playwright.sync_api import expect

from ecoa.models import Discrepancy, Participant
from ecoa.service import seeding
from ecoa.service.models import ServiceParticipant
from tests.browser.axe import findings
from tests.browser.test_corrections import PATIENCE, make_place  # noqa: F401
from tests.browser.test_participants import STUDY, service  # noqa: F401
from tests.factories.ecoa import make_participants
from tests.factories.people import PASSWORD
from vaultadmin.models import Signature

OURS, THEIRS = "1005-001", "1005-0001"


def test_what_changes_in_ecoa_is_found_decided_with_a_signature_and_healed_on_open_pages(make_place):  # noqa: F811
    place = make_place(1440, "light")
    [changed] = Participant.objects.filter(participant_id=OURS)
    make_participants(place.site, participant_id="1005-009", status="rejected", code="IC-0001")
    drift = f"/v/{place.site.vault_id}/ecoa/drift/"

    watched = place.coordinator.open(place.path)
    watched.evaluate("window.notReloaded = true")
    opened = watched.get_by_role("row").filter(has_text="1005-009").locator("details").first
    opened.locator("summary").click()
    expect(opened.get_by_text("Who acts")).to_be_visible()
    seeding.change_behind_our_back(study_id=STUDY, renamed={changed.internal_id: THEIRS}, moved={})

    page = place.sponsor.open(drift)
    page.evaluate("window.notReloaded = true")
    page.get_by_role("link", name="Read back now").click()
    page.get_by_role("dialog", name="Read back now").get_by_role("button", name="Read back now").click()
    expect(page.locator("#drift-sentence")).to_contain_text("1 discrepancy at the sites", timeout=PATIENCE)
    page.get_by_role("link", name="Look at it").click()
    decide = page.get_by_role("button", name="Decide ticked")
    expect(decide).to_be_disabled()
    expect(decide).to_have_accessible_description("Tick a discrepancy first.")
    page.get_by_role("checkbox", name=f"Tick {OURS}").check()
    expect(decide).to_be_enabled()
    expect(page.get_by_text("Tick a discrepancy first.")).to_be_hidden()
    page.get_by_role("link", name=OURS).click()
    expect(page.get_by_role("region", name="Ours").get_by_text(OURS).first).to_be_visible()
    expect(page.get_by_role("region", name="eCOA's").get_by_text(THEIRS)).to_be_visible()
    assert findings(page) == []

    page.get_by_role("link", name="Decide", exact=True).click()
    dialog = page.get_by_role("dialog", name="Decide about 1 discrepancy")
    dialog.get_by_role("radio", name="Keep our value and send it again").check()
    dialog.get_by_label("Reason").fill("The list of the site says so")
    dialog.get_by_label("Password").fill(PASSWORD)
    assert findings(page, within="#dialog") == []
    dialog.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Decision", exact=False, level=1)).to_be_visible(timeout=PATIENCE)
    page.evaluate("window.notReloaded = true")
    expect(page.get_by_role("row").filter(has_text=OURS)).to_contain_text("Cleared", timeout=2 * PATIENCE)
    assert page.evaluate("window.notReloaded")
    page.get_by_role("link", name=OURS).click()
    expect(page.get_by_text("A read-back found both sides agreeing")).to_be_visible()

    assert ServiceParticipant.objects.get(internal_id=changed.internal_id).participant_id == OURS
    assert Discrepancy.objects.get().state == "cleared"
    assert Signature.objects.get().signer_name == "Sponsor"
    expect(watched.locator("#site-banner")).to_be_empty(timeout=PATIENCE)
    expect(opened.get_by_text("Who acts")).to_be_visible()
    assert watched.evaluate("window.notReloaded")
    expect(opened.locator("summary")).to_be_focused()
