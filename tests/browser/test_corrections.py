from dataclasses import dataclass

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from ecoa.models import Correction, CorrectionState, Participant, Scope, Site
from ecoa.service.models import ServiceParticipant
from ecoa.services import mappings, proving, runs, sites
from tests.browser.axe import findings
from tests.browser.conftest import BY, Person, new_person
from tests.browser.test_participants import STUDY, SYSTEM, TENANT, URL, service  # noqa: F401
from tests.factories.connections import make_authorization, make_external
from tests.factories.ecoa import make_participants
from tests.factories.people import PASSWORD
from vaultadmin.embedded.processes import wait_until
from vaultadmin.models import Membership, Signature
from vaultadmin.standard_profiles import SITE_STAFF, STUDY_TEAM, VAULT_OWNER

PATIENCE = 30_000
SECRET = "a secret of two systems"


@dataclass
class Place:
    """A site with two participants in eCOA, and the people on both sides of a correction."""

    site: Site
    coordinator: Person
    sponsor: Person

    @property
    def path(self) -> str:
        return f"/v/{self.site.vault_id}/ecoa/studies/{STUDY}/sites/{self.site.number}/"


def all_in_ecoa() -> bool:
    return not Participant.objects.exclude(status="synced").exists()


@pytest.fixture
def make_place(sign_in, two_vaults, service, celery_worker_process):  # noqa: F811
    def make(width: int, theme: str) -> Place:
        vault, _other = two_vaults
        celery_worker_process()
        manager, staff, team = (
            new_person(name, profile, vault)
            for name, profile in (("Manager", VAULT_OWNER), ("Staff", SITE_STAFF), ("Sponsor", STUDY_TEAM))
        )
        by = Membership.objects.for_request().get(user=manager)
        way = make_external(by, url=URL, authorization=make_authorization(by, identity=SYSTEM, secret=SECRET))
        mapping = mappings.create(
            vault=vault, by=BY, name="Study seven", connection=way, tenant_id=TENANT, external_study_id=STUDY
        )
        site = sites.add(mapping=mapping, number="1005", by=BY)
        sites.assign(site=site, member=Membership.objects.get(user=staff), by=BY)
        for number in (1, 2):
            make_participants(site, participant_id=f"1005-00{number}")
        runs.plan(mapping=mapping, scope=Scope.ALL, by=BY, now=timezone.now())
        assert wait_until(all_in_ecoa, seconds=60)
        return Place(site, *(sign_in(person, width=width, theme=theme) for person in (staff, team)))

    return make


def proven() -> bool:
    proving.tick(now=timezone.now())
    return Correction.objects.filter(state=CorrectionState.CONFIRMED).exists()


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1440, "light")])
def test_site_asks_sponsor_signs_and_ecoa_proves_it_on_one_timeline(make_place, width, theme):
    place = make_place(width, theme)
    page = place.coordinator.open(place.path)
    expect(page.locator("#site-sentence")).to_have_text("All 2 participants are in eCOA.")
    listed = page.context.new_page()
    listed.goto(page.url)
    listed.evaluate("window.notReloaded = true")

    page.get_by_role("link", name="1005-001").click()
    page.get_by_role("link", name="Ask for a correction").click()
    dialog = page.get_by_role("dialog", name="Correct ID 1005-001")
    dialog.get_by_label("New participant ID").fill("1005-002")
    dialog.get_by_label("Reason").fill("Two digits were swapped")
    dialog.get_by_role("button", name="Ask the study team").click()
    expect(dialog.get_by_text("already has this participant ID")).to_be_visible()
    dialog.get_by_label("New participant ID").fill("1005-010")
    assert findings(page, within="#dialog") == []
    dialog.get_by_role("button", name="Ask the study team").click()
    correction = page.get_by_role("region", name="Correction of the ID")
    expect(correction.get_by_text("Waits for the study team", exact=True)).to_be_visible()
    expect(correction.get_by_text("Two digits were swapped")).to_be_visible()
    expect(listed.get_by_role("link", name="1 In correction")).to_be_visible(timeout=PATIENCE)
    page.evaluate("window.notReloaded = true")
    assert findings(page) == []

    theirs = place.sponsor.open(f"/v/{place.site.vault_id}/tasks/")
    theirs.get_by_role("link", name="Complete", exact=True).click()
    dialog = theirs.get_by_role("dialog", name="Complete task")
    expect(dialog.get_by_text("Have it corrected there as well")).to_be_visible()
    assert findings(theirs, within="#dialog") == []
    dialog.get_by_role("radio", name="Approve").check()
    dialog.get_by_role("button", name="Complete").click()
    expect(dialog.get_by_text("Enter your password to sign.")).to_be_visible()
    dialog.get_by_role("radio", name="Approve").check()
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Complete").click()
    expect(theirs.get_by_role("heading", name="1005-010", level=1)).to_be_visible(timeout=PATIENCE)
    theirs.evaluate("window.notReloaded = true")

    assert wait_until(proven, seconds=60)
    for seen in (page, theirs):
        steps = seen.get_by_role("region", name="Correction of the ID").locator(".timeline-done")
        expect(steps).to_have_count(4, timeout=PATIENCE)
        expect(steps.nth(0)).to_contain_text("Staff")
        expect(steps.nth(1)).to_contain_text("Sponsor")
        assert seen.evaluate("window.notReloaded")
    expect(listed.get_by_role("row").filter(has_text="1005-010")).to_contain_text("In eCOA")
    assert listed.evaluate("window.notReloaded")
    assert findings(listed) == []
    assert findings(theirs) == []
    assert ServiceParticipant.objects.filter(participant_id="1005-010").count() == 1
    assert not ServiceParticipant.objects.filter(participant_id="1005-001").exists()
    assert Signature.objects.get().signer_name == "Sponsor"
