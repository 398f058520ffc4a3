from datetime import timedelta

from playwright.sync_api import expect

from connections.services import creating, stats
from tests.browser.axe import findings
from tests.browser.conftest import new_person
from vaultadmin import clock, standard_profiles
from vaultadmin.models import Membership

PIXELS = """host => {
    const canvas = host.querySelector("canvas");
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(new Uint32Array(data.buffer)).size;
}"""
REPORTS = """() => { window.reports = []; document.addEventListener("securitypolicyviolation",
    event => window.reports.push(event.violatedDirective)); }"""


def connection_with_traffic(vault, user):
    by = Membership.objects.get(vault=vault, user=user)
    now = clock.now()
    link = creating.create_vault_to_vault(name="Busy", api_name="busy", by=by, now=now)
    for day in range(40):
        stats.count(link.pk, at=now - timedelta(days=day), sent=100 + day, received=day, failures=day % 3)
    return f"/v/{vault.pk}/admin/connections/busy/"


def test_chart_draws_within_the_content_policy_and_follows_period_and_theme(sign_in, two_vaults):
    user = new_person("Ann", standard_profiles.VAULT_OWNER, *two_vaults)
    path = connection_with_traffic(two_vaults[0], user)
    person = sign_in(user, reduced_motion="reduce")
    person.page.add_init_script(f"({REPORTS})()")
    page = person.open(f"{path}#stats")
    chart = page.get_by_role("img", name="Messages and trouble per day over the last 30 days")
    chart.scroll_into_view_if_needed()
    expect(chart.locator("canvas")).to_be_visible()
    assert chart.evaluate(PIXELS) > 5

    page.get_by_role("link", name="Last 7 days").click()
    shorter = page.get_by_role("img", name="Messages and trouble per day over the last 7 days")
    expect(shorter.locator("canvas")).to_be_visible()
    expect(page).to_have_url(f"{person.base}{path}?days=7")
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    shorter.hover()
    page.get_by_text("The same numbers as a table").click()

    expect(page.get_by_role("group", name="Connection Stats per day").locator("tbody tr")).to_have_count(7)
    assert shorter.evaluate(PIXELS) > 5
    assert findings(page, within="#stats") == []
    assert page.evaluate("window.reports") == []


def test_numbers_are_there_without_script(sign_in, two_vaults):
    user = new_person("Ann", standard_profiles.VAULT_OWNER, *two_vaults)
    path = connection_with_traffic(two_vaults[0], user)
    person = sign_in(user, java_script_enabled=False)

    page = person.open(path)

    expect(page.locator("[data-chart]")).to_be_hidden()
    page.get_by_text("The same numbers as a table").click()
    expect(page.get_by_role("group", name="Connection Stats per day").locator("tbody tr")).to_have_count(30)
