import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ecoa.models import Decision, Discrepancy, ReadBack, ReadBackCycle, SyncRun
from ecoa.services import remedies, sites
from tests.ecoa.pages.test_pages import sign_in, url
from tests.factories.ecoa import SYSTEM, make_manager, make_mapping, make_participants, make_site
from tests.factories.people import PASSWORD, make_member
from vaultadmin import clock
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission


@pytest.fixture
def sponsor(study):
    member = make_member(study.mapping.vault, Permission.ECOA_STUDY_TEAM)
    member.user.set_password(PASSWORD)
    member.user.save()
    return sign_in(member)


def find(site, amount, **fields):
    now = clock.now()
    rows = make_participants(site, amount, status="synced", synced_version=1)
    ReadBack.objects.bulk_create(
        ReadBack(participant=row, site=site, agrees=False, their_value="theirs", read_at=now) for row in rows
    )
    values = {"kind": "id_differs", "their_value": "=theirs", "version": 1, "found_by": "radar"} | fields
    return Discrepancy.objects.bulk_create(
        Discrepancy(
            vault=site.vault,
            mapping=site.mapping,
            site=site,
            participant=row,
            our_value=row.participant_id,
            found_at=now,
            seen_at=now,
            **values,
        )
        for row in rows
    )


def current():
    return list(Discrepancy.objects.select_related("participant", "mapping", "site").order_by("pk"))


def pages(study):
    return [
        url(study, "drift"),
        url(study, "discrepancies"),
        url(study, "conflicts"),
        url(study, "reconciliations"),
        url(study, "reconciliation", study.mapping.pk),
    ]


@pytest.mark.parametrize("amount", [0, 3])
def test_every_page_opens(study, sponsor, amount):
    found = find(study.site, amount)
    more = [url(study, "conflict", row.pk) for row in found]
    more += [url(study, "participant", row.participant_id) for row in found]

    assert {sponsor.get(page).status_code for page in pages(study) + more} == {200}


def test_pages_hold_their_query_budget_at_any_size(study, sponsor):
    counted = []
    sponsor.get(pages(study)[0])
    for amount in (2, 60):
        find(make_site(study.mapping, f"9{amount}"), amount)
        assert {sponsor.get(page).status_code for page in pages(study)} == {200}
        with CaptureQueriesContext(connection) as queries:
            for page in pages(study):
                sponsor.get(page)
        counted.append(len(queries))

    assert counted[0] == counted[1]
    assert counted[1] / len(pages(study)) <= 7


@pytest.mark.parametrize("name", ["drift", "reconciliations"])
def test_another_study_costs_no_query(study, sponsor, name):
    manager = make_manager(study.mapping.vault)
    sponsor.get(url(study, name))
    counted = []
    for number in range(2):
        with CaptureQueriesContext(connection) as queries:
            page = sponsor.get(url(study, name))
        counted.append(len(queries))
        make_site(make_mapping(manager, name=f"Another {number}", external_study_id=f"other-{number}"))

    assert "Another 0" in page.content.decode()
    assert counted[0] == counted[1]


def test_site_staff_see_neither_lists_nor_cards(study):
    [row] = find(study.site, 1)
    member = make_member(study.mapping.vault, Permission.ECOA_VIEW_SITES)
    sites.assign(site=study.site, member=member, by=SYSTEM)
    coordinator = sign_in(member)

    answers = {coordinator.get(page).status_code for page in [*pages(study), url(study, "conflict", row.pk)]}

    assert answers == {403}
    participant = coordinator.get(url(study, "participant", row.participant_id)).content.decode()
    assert "The study team decides" in participant
    assert "/conflicts/" not in participant


def test_filters_narrow_the_list_and_stay_in_the_address(study, sponsor):
    find(study.site, 1, kind="missing")
    find(make_site(study.mapping, "2001"), 1)

    only = sponsor.get(url(study, "discrepancies") + "?kind=missing&site=1005")
    none = sponsor.get(url(study, "discrepancies") + "?kind=missing&site=2001")

    assert (len(only.context["rows"]), len(none.context["rows"])) == (1, 0)
    assert {chip["label"] for chip in only.context["chips"]} == {"Missing in eCOA", "Site 1005"}


def test_decision_is_planned_signed_and_leads_to_its_page(study, sponsor):
    find(study.site, 2)
    address = url(study, "decide") + "?" + "&".join(f"id={row.pk}" for row in current())
    shown = sponsor.get(address)
    form = {"version": shown.context["form"]["version"].value(), "remedy": "keep_ours", "reason": "Ours is right"}

    unsigned = sponsor.post(address, form)
    wrong = sponsor.post(address, form | {"password": "not this"})
    signed = sponsor.post(address, form | {"password": PASSWORD})

    decision = Decision.objects.get()
    assert (unsigned.status_code, wrong.status_code) == (422, 422)
    assert signed.url == url(study, "decision", decision.pk)
    page = sponsor.get(signed.url).content.decode()
    assert "Ours is right" in page
    assert decision.signature.signer_name in page
    assert SyncRun.objects.get().scope == "chosen"


def test_stale_dialog_is_shown_again_and_decides_nothing(study, sponsor):
    [row] = find(study.site, 1)
    address = url(study, "decide") + f"?id={row.pk}"
    form = {"version": remedies.version(current()), "remedy": "keep_ours", "reason": "x", "password": PASSWORD}
    Discrepancy.objects.update(their_value="other", stamp=2)

    answer = sponsor.post(address, form)

    assert answer.status_code == 409
    assert not Decision.objects.exists()


def test_large_plan_asks_for_its_number(study, sponsor):
    find(study.site, 51)
    address = url(study, "decide") + "?all=1&kind=id_differs"
    shown = sponsor.get(address)
    form = {
        "version": shown.context["form"]["version"].value(),
        "remedy": "at_source",
        "reason": "All of them",
        "password": PASSWORD,
    }

    refused = sponsor.post(address, form | {"amount": "5"})
    taken = sponsor.post(address, form | {"amount": "51"})

    assert (refused.status_code, taken.status_code) == (422, 302)
    assert Decision.objects.get().total == 51


def test_deciding_about_nothing_leads_back_to_the_list(study, sponsor):
    assert sponsor.get(url(study, "decide")).url == url(study, "discrepancies")


def test_read_back_now_starts_a_hurried_round_or_hurries_the_running_one(study, sponsor):
    assert "confirmed nobody" in sponsor.post(url(study, "drift-start", study.mapping.pk)).content.decode()
    make_participants(study.site, 1, status="synced", synced_version=1)

    sponsor.post(url(study, "drift-start", study.mapping.pk))
    sponsor.post(url(study, "drift-start", study.mapping.pk))

    assert ReadBackCycle.objects.get().hurried
    assert AuditEvent.objects.filter(event="read_back.started").count() == 2


def test_unchanged_radar_answers_a_poll_with_nothing(study, sponsor):
    first = sponsor.get(url(study, "drift"))

    assert sponsor.get(url(study, "drift"), headers={"If-None-Match": first["ETag"]}).status_code == 304
    find(study.site, 1)
    assert sponsor.get(url(study, "drift"), headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_reconciliation_counts_and_download_agree_and_the_trail_knows(study, sponsor):
    now = clock.now()
    find(study.site, 1)
    [matched] = make_participants(study.site, 1, participant_id="+1005-M", status="synced", synced_version=1)
    ReadBack.objects.create(
        participant=matched, site=study.site, agrees=True, their_value="+1005-M", read_at=now, confirmed_at=now
    )
    make_participants(study.site, 1)

    totals = sponsor.get(url(study, "reconciliation", study.mapping.pk)).context["totals"]
    answer = sponsor.post(url(study, "reconciliation-download", study.mapping.pk))
    lines = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))

    assert (totals.participants, totals.agreed, totals.differing, totals.never) == (3, 1, 1, 1)
    assert sorted(line["Result"] for line in lines) == ["Differs", "Matched", "Never read"]
    by_result = {line["Result"]: line for line in lines}
    assert by_result["Matched"]["Confirmed at (UTC)"].startswith(f"{now:%Y-%m-%d %H:%M}")
    assert by_result["Matched"]["Participant ID"] == "'+1005-M"
    assert by_result["Differs"]["Discrepancy"] == "ID differs"
    assert AuditEvent.objects.get(event="reconciliation.downloaded").changes["never read"] == [None, 1]
