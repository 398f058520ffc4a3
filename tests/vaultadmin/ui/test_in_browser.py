import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.vaultadmin.ui import sample_site
from vaultadmin.templatetags import _times

AXE = (Path(__file__).resolve().parents[2] / "browser/vendor/axe-core-4.14.1/axe.min.js").read_text()


def findings(page: Page, **options: object) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate("options => axe.run(document, options)", {"resultTypes": ["violations"], **options})[
        "violations"
    ]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 1440), ("dark", 390)])
@pytest.mark.parametrize(
    "path", ["/list/?state=active", "/list/?q=nothing&sandbox&banner", "/record/", "/dialog/", "/broken/", "/nowhere/"]
)
def test_pages_have_no_accessibility_findings_and_fit(open_page, path, theme, width):
    page = open_page(path, theme=theme, width=width)

    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_accent_is_readable(open_page, theme):
    page = open_page("/list/?state=active", theme=theme)

    for accent in ("blue", "indigo", "violet", "teal", "green", "rose", "slate"):
        page.evaluate("accent => { document.documentElement.dataset.accent = accent }", accent)
        assert findings(page, runOnly=["color-contrast"]) == [], accent


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_open_menus_and_dialogs_have_no_accessibility_findings(open_page, theme):
    page = open_page("/list/", theme=theme)

    page.get_by_role("button", name="Actions").click()
    assert findings(page) == []
    page.get_by_role("menuitem", name="Connect from File").click()
    expect(page.get_by_role("dialog", name="Connect from File")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="one")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert findings(page) == []


def test_a_menu_is_walked_by_keys_and_gives_the_focus_back(open_page):
    page = open_page("/list/")
    button = page.get_by_role("button", name="Actions")
    button.press("Enter")

    expect(page.get_by_role("menuitem", name="Connect from File")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("o")
    expect(page.get_by_role("menuitem", name="Open")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_an_unavailable_action_does_nothing(open_page):
    page = open_page("/list/")
    page.get_by_role("button", name="Actions").click()

    page.get_by_role("menuitem", name="Delete").click(force=True)

    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.url.endswith("/list/")


def test_a_refused_dialog_leads_to_what_is_wrong_and_keeps_what_was_typed(open_page):
    page = open_page("/list/")
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Connect from File").click()
    page.get_by_label("Comment").fill("Six words compared.")

    page.get_by_role("dialog").get_by_role("button", name="Save").click()

    expect(page.locator("#form-errors")).to_be_focused()
    expect(page.get_by_label("Comment")).to_have_value("Six words compared.")


def test_a_finished_dialog_closes_refreshes_the_list_and_says_so_once(open_page):
    page = open_page("/list/")
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Connect from File").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Choose").set_input_files({"name": "a.json", "mimeType": "text/plain", "buffer": b"{}"})
    dialog.get_by_role("radio", name="Approve").check()
    dialog.get_by_label("Comment").fill("Fine.")

    with page.expect_request(lambda request: request.url.endswith("/list/")):
        dialog.get_by_role("button", name="Save").click()

    expect(dialog).to_be_hidden()
    expect(page.locator("#toasts")).to_contain_text("Connected.")
    expect(page.locator("#live")).to_have_text("Connected.")
    expect(page.get_by_role("button", name="Actions")).to_be_focused()


def test_the_chosen_theme_is_there_on_the_next_page(open_page, sample_url):
    page = open_page("/list/", theme="light")
    page.get_by_role("button", name="Theme").click()

    page.get_by_role("menuitemradio", name="Dark").click()
    page.goto(sample_url + "/record/")

    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


@pytest.mark.parametrize(("scheme", "background"), [("light", "rgb(244, 246, 249)"), ("dark", "rgb(13, 19, 28)")])
def test_the_system_theme_follows_the_system_without_a_script(open_page, scheme, background):
    page = open_page("/list/", theme="system", color_scheme=scheme, java_script_enabled=False)

    expect(page.locator("body")).to_have_css("background-color", background)


def test_typing_into_the_filter_narrows_the_list_and_keeps_the_focus(open_page):
    page = open_page("/list/")
    page.keyboard.press("/")

    page.keyboard.type("lims")

    expect(page).to_have_url(re.compile(r"/list/\?q=lims$"))
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_sorting_keeps_the_filter_and_the_focus(open_page):
    page = open_page("/list/?q=to")

    page.get_by_role("link", name="Name", exact=True).click()

    expect(page).to_have_url(re.compile(r"\?q=to&sort=name$"))
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_role("link", name="Name", exact=True)).to_be_focused()


def test_going_back_shows_the_list_as_it_was(open_page):
    page = open_page("/list/")
    page.get_by_role("searchbox").fill("lims")
    expect(page).to_have_url(re.compile(r"q=lims$"))

    page.go_back()

    expect(page.get_by_role("row")).to_have_count(4)
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_the_palette_goes_where_the_chosen_row_says(open_page):
    page = open_page("/list/")
    page.keyboard.press("Control+k")
    page.keyboard.type("abc")
    expect(page.get_by_role("option", name="abc one")).to_have_attribute("aria-selected", "true")

    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="abc two")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/record/$"))


def test_single_key_shortcuts_can_be_switched_off(open_page):
    page = open_page("/list/")
    page.keyboard.press("?")
    page.get_by_role("checkbox", name="Single-key shortcuts").uncheck()
    page.keyboard.press("Escape")

    page.keyboard.press("/")

    expect(page.get_by_role("searchbox")).not_to_be_focused()


def test_a_changed_sentence_is_spoken_once(open_page):
    page = open_page("/record/")
    expect(page.locator("#live")).to_be_empty()

    page.evaluate("document.dispatchEvent(new CustomEvent('poke'))")

    expect(page.locator("#live")).to_have_text("3 of 3")


def test_a_refused_request_becomes_one_sentence_and_leaves_the_page(open_page):
    page = open_page("/record/")

    page.get_by_role("link", name="Break").click()

    expect(page.locator("#toasts")).to_contain_text("You need Workflow: Start.")
    expect(page.locator("#summary")).to_have_text("2 of 3")


def test_a_form_is_sent_once(open_page):
    page = open_page("/record/")
    sample_site.received.clear()
    send = page.get_by_role("button", name="Send")

    with page.expect_response("**/slow/"):
        send.click()
        send.click()
    send.click()

    assert sample_site.received == ["/slow/"]
    expect(send).to_be_focused()


def test_times_can_be_shown_in_the_zone_of_the_site(open_page):
    page = open_page("/record/", timezone_id="America/New_York")
    moment = page.locator("time[data-when]").first
    shown_in_utc = moment.get_attribute("title")

    page.get_by_role("button", name="UTC").click()
    expect(moment).to_have_text(shown_in_utc)
    page.get_by_role("button", name="Site").click()
    expect(moment).not_to_have_text(shown_in_utc)


def test_words_for_times_are_the_same_on_the_server_and_in_the_browser(open_page):
    page = open_page("/record/")
    source = (Path(__file__).resolve().parents[3] / "static/js/times.js").read_text()
    function = source[: source.index("const zoned")]
    distances = [0, 44, 45, 239, 3600, 86_399, 172_800, 30 * 86_400, -300, -40 * 86_400]

    now = datetime(2026, 5, 14, 12, tzinfo=UTC)
    said = page.evaluate(
        f"distances => {{ {function}; const now = new Date('{_times.iso(now)}');"
        " return distances.map(seconds => new Date(now - seconds * 1000)).map(moment => [relative(moment, now),"
        " lasting(moment, now)]); }",
        distances,
    )

    moments = [now - timedelta(seconds=seconds) for seconds in distances]
    assert said == [[_times.relative(moment, now), _times.lasting(moment, now)] for moment in moments]


def test_the_drawer_opens_and_closes_on_a_phone(open_page):
    page = open_page("/list/", width=390)
    link = page.get_by_role("navigation", name="Main").get_by_role("link").first
    expect(link).to_be_hidden()

    page.get_by_role("button", name="Open navigation").click()
    expect(link).to_be_visible()
    page.get_by_role("button", name="Close navigation").click()

    expect(link).to_be_hidden()


def test_everything_works_without_a_script(open_page):
    page = open_page("/list/", java_script_enabled=False)

    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Connect from File").click()
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("heading", name="Connect from File")).to_be_visible()
    expect(page.locator("#form-errors")).to_be_visible()


def test_targets_are_large_enough_for_fingers(open_page):
    page = open_page("/record/", width=390, has_touch=True, is_mobile=True)

    sizes = page.eval_on_selector_all(
        "main :is(button, a.btn):not([hidden]), header button:not([hidden])",
        "all => all.map(one => one.getBoundingClientRect()).filter(box => box.width).map(box => box.height)",
    )

    assert sizes
    assert min(sizes) >= 44


def test_the_first_paint_moves_nothing_for_people_who_asked_for_calm(open_page):
    page = open_page("/list/", reduced_motion="reduce")

    lasting = page.evaluate(
        "[...document.querySelectorAll('*')].map(one => parseFloat(getComputedStyle(one).transitionDuration))"
        ".filter(seconds => seconds > 0.001).length"
    )

    assert lasting == 0
