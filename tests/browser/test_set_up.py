import pytest
from playwright.sync_api import expect

from connections.models import Connection
from ecoa.models import StudyMapping
from ecoa.service import seeding
from tests.browser.conftest import new_person
from tests.factories.ecoa import make_manager, make_mapping, make_participants, make_site
from vaultadmin.standard_profiles import STUDY_TEAM, VAULT_OWNER

STUDY, SYSTEM, TENANT, SECRET = "study-8", "setup-system", "setup-tenant", "a secret of the set-up"
URL = "https://ecoa.demo.test/myveeva/global/"


@pytest.fixture
def service(live_site):
    study = seeding.ensure_study(
        STUDY, system=seeding.ensure_system(external_id=SYSTEM, secret=SECRET, tenant_id=TENANT)
    )
    seeding.ensure_site(study, "1005", "us")
    seeding.ensure_site(study, "2001", "eu")


def credentials(page, secret):
    page.get_by_label("Base URL").fill(URL)
    page.get_by_label("External system ID").fill(SYSTEM)
    page.get_by_label("External system secret").fill(secret)
    page.get_by_label("Tenant ID").fill(TENANT)
    page.get_by_role("button", name="Continue").click()


def run_test(page, name):
    page.get_by_role("button", name=name).click()
    steps = page.get_by_role("list", name="Calls of the test")
    expect(steps).to_be_visible()
    return steps


def test_set_up_survives_a_wrong_secret_and_ends_in_a_mapping(sign_in, two_vaults, service, celery_worker_process):
    vault, _other = two_vaults
    celery_worker_process()
    page = sign_in(new_person("Manager", VAULT_OWNER, vault)).open(f"/v/{vault.pk}/ecoa/")

    page.get_by_role("link", name="Set up eCOA").first.click()
    page.get_by_role("link", name="Start a set-up").first.click()
    page.get_by_label("Study name").fill("Real study")
    page.get_by_label("Study ID in our system").fill(STUDY)
    page.get_by_label("Sites").fill("1005, 2001")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("What we need from them")).to_be_visible()
    page.get_by_role("link", name="Continue").click()
    credentials(page, "wrong")

    steps = run_test(page, "Test")
    expect(steps.get_by_text("eCOA does not accept the sign-in").first).to_be_visible()
    page.get_by_role("link", name="Back").click()
    credentials(page, SECRET)
    run_test(page, "Test again")
    expect(page.get_by_text("eCOA answered every call as it should.")).to_be_visible()
    assert SECRET not in page.content()
    assert not Connection.objects.filter(vault=vault, type="external__sys").exists()

    page.get_by_role("link", name="Continue").click()
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", name="Real study", level=1)).to_be_visible()
    assert StudyMapping.objects.get(vault=vault).sites.count() == 2


def test_study_team_declares_a_rhythm_and_takes_a_report(sign_in, two_vaults, service, celery_worker_process):
    vault, _other = two_vaults
    celery_worker_process()
    site = make_site(make_mapping(make_manager(vault)))
    make_participants(site, 3, status="synced")
    page = sign_in(new_person("Sponsor", STUDY_TEAM, vault), width=390).open(f"/v/{vault.pk}/ecoa/")

    expect(page.get_by_text("1 site in 1 study: nothing needs attention.")).to_be_visible()
    page.get_by_role("link", name="All 3 in eCOA").click()
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Rhythm").click()
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_role("button", name="Declare rhythm").click()
    expect(page.get_by_text("Alarm at")).to_be_visible()

    page.get_by_role("link", name=site.number, exact=True).click()
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Evidence report").click()
    page.get_by_role("button", name="Make report").click()
    expect(page.get_by_text("The report is ready.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="PDF").click()
    assert download.value.suggested_filename.startswith("Evidence report 1005")
