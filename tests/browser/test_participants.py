from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ecoa.models import Participant
from ecoa.service import seeding
from tests.browser.conftest import Person, new_person
from tests.factories.ecoa import make_mapping
from vaultadmin.models import Membership
from vaultadmin.standard_profiles import SITE_STAFF, VAULT_OWNER

STUDY, SYSTEM, TENANT, SECRET = "study-7", "rtsm-system", "rtsm-tenant", "a secret of two systems"
URL = "https://ecoa.demo.test/myveeva/global/"
HEAD = "site,participantId,internalId\n"
FILE = HEAD + "1005,1005-001,in-1\n1005,1005-002,in-2\n2001,2001-001,in-3\n9999,9999-001,in-4\n1005,,in-5\n"
PREVIEW = "3 of 5 rows can be imported; 2 cannot, see below. Nothing is stored yet."
FURTHER = HEAD + "1005,1005-003,in-6\n"


@pytest.fixture
def service(live_site):
    study = seeding.ensure_study(
        STUDY, system=seeding.ensure_system(external_id=SYSTEM, secret=SECRET, tenant_id=TENANT)
    )
    for number, region in (("1005", "us"), ("2001", "eu")):
        seeding.ensure_site(study, number, region)


def open_page(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def authorize(page: Page) -> None:
    open_page(page, "Authorizations")
    page.get_by_role("link", name="Create").first.click()
    page.get_by_role("radio", name="Client Credential").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name", exact=True).fill("RTSM")
    page.get_by_label("Client ID").fill(SYSTEM)
    page.get_by_label("Client Secret").fill(SECRET)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="RTSM", level=1)).to_be_visible()
    assert SECRET not in page.content()


def connect(page: Page) -> None:
    open_page(page, "Connections")
    page.get_by_role("link", name="Create", exact=True).click()
    page.get_by_role("radio", name="External").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name", exact=True).fill("eCOA")
    page.get_by_label("API Name", exact=True).fill("ecoa")
    page.get_by_label("URL").fill(URL)
    page.get_by_label("Authorization").select_option(label="RTSM")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text(URL)).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="eCOA", level=1)).to_be_visible()


def map_study(page: Page, staff: str) -> None:
    open_page(page, "Study mappings")
    page.get_by_role("link", name="Map a study").first.click()
    dialog = page.get_by_role("dialog", name="Map a study")
    dialog.get_by_label("Name").fill("Study seven")
    dialog.get_by_label("Connection").select_option(label="eCOA")
    dialog.get_by_label("Tenant ID").fill(TENANT)
    dialog.get_by_label("Study ID").fill(STUDY)
    dialog.get_by_role("button", name="Save").click()
    for number in ("1005", "2001"):
        page.get_by_role("link", name="Add site").click()
        dialog = page.get_by_role("dialog", name="Add site")
        dialog.get_by_label("Number").fill(number)
        dialog.get_by_role("button", name="Add").click()
        expect(page.get_by_role("link", name=number, exact=True)).to_be_visible()
    page.get_by_role("link", name="Assign site staff to 1005").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Member of the site staff").select_option(label=staff)
    dialog.get_by_role("button", name="Assign").click()
    expect(page.get_by_role("link", name=f"Take site 1005 from {staff}")).to_be_visible()


def upload(page: Page, folder: Path, text: str) -> None:
    file = folder / "participants.csv"
    file.write_text(text)
    open_page(page, "Import")
    page.get_by_label("Study", exact=True).select_option(label="Study seven")
    page.get_by_label("Choose").set_input_files(file)
    page.get_by_role("button", name="Upload and check").click()


def import_and_send(page: Page, rows: str) -> None:
    page.get_by_role("button", name=f"Import {rows}").click()
    expect(page.locator("#run-sentence")).to_be_visible()


@pytest.fixture
def ready(sign_in, two_vaults, service, celery_worker_process) -> tuple[Person, Person, str]:
    """The manager with everything set up, site staff of site 1005, and the address of that site's page."""
    vault, _other = two_vaults
    celery_worker_process()
    manager, staff = new_person("Manager", VAULT_OWNER, vault), new_person("Staff", SITE_STAFF, vault)
    working = sign_in(manager)
    authorize(working.page)
    connect(working.page)
    map_study(working.page, staff.name)
    return working, sign_in(staff), f"/v/{vault.pk}/ecoa/studies/{STUDY}/sites/"


def test_participants_reach_ecoa_and_the_site_sees_them_arrive(ready, tmp_path):
    manager, staff, sites = ready
    page = manager.page

    upload(page, tmp_path, FILE)
    expect(page.locator("#file-sentence")).to_have_text(
        "3 of 5 rows can be imported; 2 cannot, see below. Nothing is stored yet."
    )
    problems = page.get_by_role("region", name="Rows that cannot be imported")
    expect(problems.get_by_role("row").filter(has_text="9999-001")).to_contain_text("site")
    expect(problems.get_by_role("row").filter(has_text="in-5")).to_contain_text("participant ID")
    assert not Participant.objects.exists()

    import_and_send(page, "3 rows")
    expect(page.locator("#run-sentence")).to_have_text("All 3 participants are in eCOA.")
    expect(page.locator("#run-state")).to_have_text("Finished")

    theirs = staff.open(f"{sites}1005/")
    expect(theirs.locator("#site-sentence")).to_contain_text("All 2 participants are in eCOA.")
    expect(theirs.get_by_text("2001-001")).to_have_count(0)
    theirs.evaluate("window.notReloaded = true")

    upload(page, tmp_path, FURTHER)
    import_and_send(page, "1 row")
    expect(theirs.locator("#site-sentence")).to_contain_text("All 3 participants are in eCOA.")
    expect(theirs.get_by_role("row").filter(has_text="1005-003")).to_contain_text("In eCOA")
    expect(theirs.locator("#live")).to_contain_text("All 3 participants are in eCOA.")
    assert theirs.evaluate("window.notReloaded")

    for closed in (f"{sites}2001/", f"{sites}9999/"):
        assert theirs.goto(staff.base + closed).status == 404
    assert theirs.goto(staff.base + sites.split("ecoa/")[0] + "ecoa/runs/").status == 403


def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(sign_in, two_vaults, tmp_path):
    vault, _other = two_vaults
    manager = sign_in(new_person("Manager", VAULT_OWNER, vault))
    make_mapping(Membership.objects.get(user=manager.user, vault=vault), name="Study seven")

    upload(manager.open(f"/v/{vault.pk}/"), tmp_path, "animal,legs\ncat,4\n")

    expect(manager.page.locator("[data-form-errors]")).to_be_visible()
    assert not Participant.objects.exists()
