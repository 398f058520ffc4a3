import csv
import io
import re

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from ecoa.models import Correction, CorrectionState, Participant
from ecoa.services import sites
from tests.connections.pages import HTMX, hidden_fields, sign_in
from tests.ecoa.pages.test_pages import site_url, url
from tests.factories.ecoa import SYSTEM, make_participants, make_site
from tests.factories.people import PASSWORD, make_member
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    for name, cost in (("time_cost", 1), ("memory_cost", 64), ("parallelism", 1)):
        monkeypatch.setattr(Argon2PasswordHasher, name, cost)


@pytest.fixture
def coordinator(loop):
    return sign_in(loop.coordinator)


@pytest.fixture
def sponsor(loop):
    loop.sponsor.user.set_password(PASSWORD)
    loop.sponsor.user.save()
    return sign_in(loop.sponsor)


def page_of(loop):
    return url(loop.study, "participant", loop.participant.pk)


def decide(loop, browser, correction, **fields):
    address = url(loop.study, "correction-complete", correction.pk)
    form = hidden_fields(browser.get(address, headers=HTMX).content.decode())
    return browser.post(address, form | {"verdict": "approve", "password": PASSWORD} | fields, headers=HTMX)


def test_asking_and_signing_by_their_pages(loop, coordinator, sponsor, machine):
    asked = coordinator.post(
        url(loop.study, "participant-correct", loop.participant.pk), {"new_value": "1005-NEW", "reason": "Swapped"}
    )
    correction = Correction.objects.get()
    assert asked["Location"] == page_of(loop)
    assert b"Look and sign" not in coordinator.get(page_of(loop)).content
    assert b"Look and sign" in sponsor.get(page_of(loop)).content

    answer = decide(loop, sponsor, correction)

    assert answer["HX-Redirect"] == page_of(loop)
    loop.tick()
    for browser in (coordinator, sponsor):
        text = browser.get(page_of(loop)).content.decode()
        assert text.count("timeline-done") == 4
        assert "Read back from eCOA" in text


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"password": ""}, 422, "Enter your password to sign."),
        ({"password": "wrong"}, 422, "Nothing was signed"),
        ({"verdict": ""}, 422, "Choose a verdict."),
        ({"verdict": "reject", "comment": " "}, 422, "Say why you reject"),
        ({"version": "0" * 64}, 409, "Look at it again"),
    ],
)
def test_verdict_that_cannot_stand_changes_nothing(loop, sponsor, fields, status, words):
    correction = loop.ask()

    answer = decide(loop, sponsor, correction, **fields)

    assert answer.status_code == status
    assert words in answer.content.decode()
    assert Correction.objects.get().state == CorrectionState.ASKED


def test_sponsor_is_told_to_mend_the_source_too(loop, sponsor):
    correction = loop.ask()

    text = sponsor.get(url(loop.study, "correction-complete", correction.pk)).content.decode()

    words = "The system the file came from owns this ID. Have it corrected there as well: as soon as 1005-OLD comes"
    assert words in " ".join(text.split())


def test_sponsor_is_told_of_nothing_where_no_machine_owns_the_id(loop, sponsor):
    Participant.objects.update(source="manual")
    correction = loop.ask()

    text = sponsor.get(url(loop.study, "correction-complete", correction.pk)).content.decode()

    assert "owns this ID" not in text


def test_correction_that_waits_for_a_decision_says_so_to_both_sides(loop, coordinator, sponsor):
    correction = loop.ask()
    found = loop.differ()
    address = url(loop.study, "conflict", found.pk)

    dialog = sponsor.get(url(loop.study, "correction-complete", correction.pk)).content.decode()
    decide(loop, sponsor, correction)
    loop.tick()
    pages = [browser.get(page_of(loop)).content.decode() for browser in (coordinator, sponsor)]

    assert "the new ID waits" in dialog
    assert address in dialog
    assert ["A signed correction waits" in page for page in pages] == [True, True]
    assert ["It is sent as soon as the study team has decided" in page for page in pages] == [True, True]
    assert [address in page for page in pages] == [False, True]


def test_site_staff_cannot_open_the_verdict_and_strangers_find_nothing(loop, coordinator):
    correction = loop.ask()
    other = make_member(loop.study.mapping.vault, Permission.ECOA_VIEW_SITES)
    sites.assign(site=make_site(loop.study.mapping, "2001"), member=other, by=SYSTEM)
    stranger = sign_in(other)

    assert coordinator.get(url(loop.study, "correction-complete", correction.pk)).status_code == 403
    for name in ("participant-correct", "correction-withdraw"):
        pk = correction.pk if "correction" in name else loop.participant.pk
        assert stranger.get(url(loop.study, name, pk)).status_code == 404
        assert stranger.post(url(loop.study, name, pk)).status_code == 404


def test_asker_withdraws_by_the_page(loop, coordinator):
    correction = loop.ask()

    assert b"Withdraw" in coordinator.get(page_of(loop)).content
    coordinator.post(url(loop.study, "correction-withdraw", correction.pk))

    assert Correction.objects.get().state == CorrectionState.WITHDRAWN


def test_participant_page_is_answered_304_until_something_happens(loop, coordinator):
    first = coordinator.get(page_of(loop))
    again = coordinator.get(page_of(loop), headers={"If-None-Match": first["ETag"]})
    loop.ask()
    after = coordinator.get(page_of(loop), headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, after.status_code) == (304, 200)


def test_participant_page_says_no_technical_word_to_site_staff(loop, coordinator, machine):
    loop.decide(loop.ask())
    loop.tick()

    text = coordinator.get(page_of(loop)).content.decode().split("<main")[1]

    shown = re.sub(r"<details.*?</details>", "", text, flags=re.DOTALL)
    assert not re.search("HTTP|JSON|https://|GET ", shown)


def test_site_page_polls_see_a_correction(loop, coordinator):
    first = coordinator.get(site_url(loop.study))
    loop.ask()
    after = coordinator.get(site_url(loop.study), headers={"If-None-Match": first["ETag"]})

    assert after.status_code == 200
    assert [row["correcting"] for row in after.context["rows"]] == ["asked"]


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ("needs_you", ["1005-TAKEN"]),
        ("study_team", ["1005-LOST"]),
        ("attention", ["1005-LOST", "1005-TAKEN"]),
        ("waiting", ["1005-WAITS"]),
        ("synced", ["1005-OLD"]),
        ("corrections", ["1005-OLD"]),
    ],
)
def test_each_cell_of_the_strip_shows_what_it_counts(loop, coordinator, state, wanted):
    for name, status, code in (
        ("TAKEN", "rejected", "ID-0003"),
        ("LOST", "unknown", "VA-NO-ANSWER"),
        ("WAITS", "waiting", ""),
    ):
        make_participants(loop.study.site, participant_id=f"1005-{name}", status=status, code=code)
    loop.ask()

    page = coordinator.get(site_url(loop.study), {"state": state})

    assert [row["participant"].participant_id for row in page.context["rows"]] == wanted
    numbers = {cell.state: cell.number for cell, _url in page.context["strip"]}
    assert numbers.get(state, len(wanted)) == len(wanted)


def test_site_page_speaks_to_the_site_and_to_the_study_team_about_it(loop, coordinator, sponsor):
    make_participants(loop.study.site, participant_id="1005-TAKEN", status="rejected", code="ID-0003")

    to_site, to_team = (browser.get(site_url(loop.study)).content.decode() for browser in (coordinator, sponsor))

    assert "1 needs you" in to_site
    assert "What you do" in to_site
    assert "1 needs the site" in to_team
    assert "What the site does" in to_team
    assert "Needs you" not in to_team


def test_export_holds_what_the_filter_shows_and_nothing_a_spreadsheet_runs(loop, coordinator):
    make_participants(loop.study.site, participant_id="@SUM(1)", status="rejected", code="ID-0003")

    answer = coordinator.post(url(loop.study, "site-export", "study-1", "1005"), {"state": "needs_you"})

    lines = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert [line[0] for line in lines] == ["Participant ID", "'@SUM(1)"]
    assert lines[1][3].startswith("Someone else in eCOA")
    event = AuditEvent.objects.get(event="site.exported")
    assert event.changes["filter"] == [None, "needs_you"]


def test_paper_view_keeps_the_filter_and_has_no_navigation(loop, coordinator):
    make_participants(loop.study.site, participant_id="1005-TAKEN", status="rejected", code="ID-0003")

    text = coordinator.get(url(loop.study, "site-print", "study-1", "1005"), {"state": "needs_you"}).content.decode()

    assert "1005-TAKEN" in text
    assert "1005-OLD" not in text
    assert "sidebar" not in text


def test_cards_page_tells_every_card_without_codes_in_sight(coordinator, loop):
    text = coordinator.get(url(loop.study, "cards")).content.decode()

    shown = re.sub(r"<details.*?</details>", "", text.split("<main")[1], flags=re.DOTALL)
    assert text.count("Does it affect the visit?") >= 40
    assert not re.search(r"[A-Z]{2}-\d{4}", shown)


def test_home_of_somebody_with_two_sites_says_one_sentence_and_the_same_as_a_table(loop, coordinator):
    second = make_site(loop.study.mapping, "2001")
    sites.assign(site=second, member=loop.coordinator, by=SYSTEM)
    make_participants(second, status="rejected", code="ID-0003")

    page = coordinator.get(url(loop.study, "home"))

    assert page.context["sentence"] == "1 of 2 participants are in eCOA; 1 needs you."
    strips = [[(str(cell.word), cell.number) for cell in row["strip"]] for row in page.context["rows"]]
    text = page.content.decode()
    table = re.findall(r'<td class="text-end">(\d+)', text)
    assert [int(number) for number in table] == [number for strip in strips for _word, number in strip]


def test_site_on_hold_says_so(loop, coordinator):
    loop.study.mapping.is_active = False
    loop.study.mapping.save()

    assert "Sending is switched off." in coordinator.get(site_url(loop.study)).content.decode()


def test_pages_of_the_site_stay_within_their_queries(loop, coordinator, django_assert_max_num_queries):
    make_participants(loop.study.site, 60)
    loop.ask()
    shell = url(loop.study, "cards")
    coordinator.get(shell)
    with django_assert_max_num_queries(4) as alone:
        coordinator.get(shell)
    frame = len(alone)

    printed = url(loop.study, "site-print", "study-1", "1005")
    for page, most in ((site_url(loop.study), 4), (page_of(loop), 7), (printed, 3)):
        coordinator.get(page)
        with django_assert_max_num_queries(frame + most):
            coordinator.get(page)
