import csv
import hashlib
import io
import zipfile
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ecoa.digests import writing
from ecoa.models import DigestChoice, EvidenceReport, SilenceAlarm, SiteRhythm, StudyMapping
from ecoa.reports import making, pdf
from ecoa.services import digests, mappings, reports, rhythms
from ecoa.services.refusals import Refused
from ecoa.silence import looking
from ecoa.sync import facts
from tests.factories.ecoa import make_mapping, make_participants, make_site
from tests.factories.people import make_member
from vaultadmin import audit, clock
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission
from vaultadmin.worklist import notices

pytestmark = pytest.mark.django_db
RHYTHM = {"interval_hours": 24, "grace_hours": 2, "time_zone": "UTC", "quiet_from": "", "quiet_until": ""}


@pytest.fixture
def mapping():
    return make_mapping()


@pytest.fixture
def sponsor(mapping):
    return make_member(mapping.vault, Permission.ECOA_STUDY_TEAM)


@pytest.fixture
def client(sponsor):
    client = Client()
    client.force_login(sponsor.user)
    return client


def page(mapping, name, *args):
    return reverse(f"ecoa:{name}", args=[mapping.vault_id, *args])


def silence(site, by):
    past = clock.now() - timedelta(days=3)
    rhythms.declare(
        site=site,
        interval_hours=24,
        grace_hours=0,
        time_zone="UTC",
        quiet_from=None,
        quiet_until=None,
        quiet_days=[],
        by=by,
        now=past,
    )
    looking.look(now=clock.now())
    return SilenceAlarm.objects.get(site=site)


def test_matrix_says_the_worst_of_every_site(mapping, sponsor, client):
    other = make_mapping(
        make_member(mapping.vault, Permission.ECOA_MANAGE, Permission.MANAGE_CONNECTIONS), external_study_id="other"
    )
    make_participants(make_site(mapping, "1001"), 2, status="synced")
    make_participants(make_site(mapping, "1002"), 1, status="rejected")
    make_participants(make_site(other, "1001"), 3)
    silence(make_site(other, "1003"), sponsor)
    make_site(mapping, "1004")

    text = client.get(page(mapping, "home")).content.decode()

    for words in ("All 2 in eCOA", "1 needs attention", "3 waiting", "Silent", "None yet", "Not in this study"):
        assert words in text
    assert "5 sites in 2 studies: 1 is silent, 1 needs attention, 1 is waiting." in text


def test_matrix_filters_by_state(mapping, client):
    make_participants(make_site(mapping, "1001"), 2, status="synced")
    make_participants(make_site(mapping, "1002"), 1, status="rejected")

    text = client.get(page(mapping, "home") + "?state=attention").content.decode()

    assert "1 needs attention" in text
    assert "All 2 in eCOA" not in text


def test_matrix_costs_the_same_for_many_sites(mapping, client):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            client.get(page(mapping, "home"))
        return len(seen)

    make_site(mapping, "1")
    queries()
    few = queries()
    for number in range(2, 45):
        make_site(mapping, str(number))

    assert queries() <= few + 1


def test_matrix_goes_on_behind_its_first_page(mapping, client):
    for number in range(45):
        make_site(mapping, f"{number:03}")

    first = client.get(page(mapping, "home")).content.decode()
    second = client.get(page(mapping, "home") + "?after=039").content.decode()

    assert "after=039" in first
    assert "044" in second
    assert ">039 " not in second


def test_health_shows_days_and_their_sum(mapping, client):
    facts.count_day(mapping.pk, at=clock.now(), sent=5, confirmed=3, rejected=1, unknown=1)
    facts.count_day(mapping.pk, at=clock.now() - timedelta(days=2), sent=2, confirmed=2)

    text = client.get(page(mapping, "health") + f"?study={mapping.pk}&days=7").content.decode()
    download = b"".join(client.get(page(mapping, "health-csv") + "?days=7").streaming_content).decode("utf-8-sig")

    assert "In the last 7 days 7 tries reached eCOA and 5 participants were confirmed." in text
    rows = list(csv.reader(io.StringIO(download)))
    assert rows[0] == ["day", "sent", "confirmed", "rejected", "unknown"]
    assert (len(rows), rows[-1][1:]) == (8, ["5", "3", "1", "1"])


def test_health_of_another_vault_is_not_found(client, mapping):
    assert client.get(page(mapping, "health") + f"?study={make_mapping().pk}").status_code == 404


def test_rhythm_is_declared_on_its_page(mapping, client):
    site = make_site(mapping)

    refused = client.post(page(mapping, "rhythm", site.pk), RHYTHM | {"quiet_from": "20:00"})
    declared = client.post(page(mapping, "rhythm", site.pk), RHYTHM | {"quiet_days": ["5", "6"]})

    assert (refused.status_code, declared.status_code) == (422, 302)
    assert SiteRhythm.objects.get().quiet_days == [5, 6]
    assert client.get(page(mapping, "rhythm", site.pk)).status_code == 200


def test_pause_is_entered_in_days_of_the_site(mapping, sponsor, client):
    site = make_site(mapping)
    client.post(page(mapping, "rhythm", site.pk), RHYTHM | {"time_zone": "Asia/Tokyo"})
    today = clock.now().date()

    client.post(
        page(mapping, "pause-add", site.pk),
        {"first_day": today.isoformat(), "last_day": (today + timedelta(days=1)).isoformat(), "reason": "Holiday"},
    )
    row = site.pauses.get()
    client.post(page(mapping, "pause-end", site.pk, row.pk))

    assert row.starts_at.hour == 15
    assert row.ends_at - row.starts_at == timedelta(days=2)


def test_alarm_is_snoozed_from_the_list(mapping, sponsor, client):
    alarm = silence(make_site(mapping), sponsor)

    before = client.get(page(mapping, "alarms")).content.decode()
    client.post(page(mapping, "alarm-snooze", alarm.pk), {"days": "3", "note": "They are moving"})
    after = client.get(page(mapping, "alarms")).content.decode()

    assert "Something was expected by" in before
    assert "They are moving" in after


def test_dialogs_of_a_site_open(mapping, sponsor, client):
    site = make_site(mapping)
    silence(site, sponsor)

    for name in ("rhythm", "rhythm-withdraw", "site-close", "pause-add", "report-ask"):
        assert client.get(page(mapping, name, site.pk)).status_code == 200
    client.post(page(mapping, "site-close", site.pk))

    assert client.get(page(mapping, "site-reopen", site.pk)).status_code == 200
    assert "Closed" in client.get(page(mapping, "home")).content.decode()


def test_digest_comes_when_chosen_and_names_no_participant(mapping, sponsor, client):
    site = make_site(mapping)
    make_participants(site, 1, status="rejected", participant_id="SECRET-1")
    client.post(page(mapping, "digest"), {"frequency": "daily", "hour": "6", "time_zone": "Europe/Berlin"})
    due = DigestChoice.objects.get().due_at
    facts.count_day(mapping.pk, at=due - timedelta(days=1), sent=4, confirmed=3, rejected=1)

    written = [writing.write_due(now=moment) for moment in (due - timedelta(minutes=1), due, due)]
    notices.deliver_due(now=due)

    body = mail.outbox[0].body
    assert written == [0, 1, 0]
    assert DigestChoice.objects.get().due_at > due
    assert "4 tries reached eCOA. 3 participants were confirmed" in body
    assert f"Site {site.number} of {mapping.name}: 1 participant needs attention." in body
    assert "SECRET" not in body


def test_weekly_digest_comes_on_monday(mapping, sponsor):
    choice = digests.choose(member=sponsor, frequency="weekly", hour=7, time_zone="UTC", now=clock.now())

    assert (choice.due_at.weekday(), choice.due_at.hour) == (0, 7)


def test_digest_is_refused_to_people_who_get_no_mail(mapping, sponsor):
    sponsor.user.mail_notices = False

    with pytest.raises(Refused, match="E-mail notices"):
        digests.choose(member=sponsor, frequency="daily", hour=7, time_zone="UTC", now=clock.now())


def test_report_lists_every_participant_in_three_files(mapping, sponsor, client):
    site = make_site(mapping)
    now = clock.now()
    make_participants(site, 1, participant_id="=SUM(A1)", status="synced", first_sent_at=now)
    make_participants(site, 60, status="synced", confirmed_at=now, confirmed_version=1, confirmed_by="run 1 try 2")

    client.post(page(mapping, "report-ask", site.pk))
    report = EvidenceReport.objects.get()
    assert making.work(report_id=report.pk)
    files = {
        name: b"".join(client.post(page(mapping, "report-download", report.pk, name)).streaming_content)
        for name in ("csv", "xlsx", "pdf")
    }

    rows = list(csv.reader(io.StringIO(files["csv"].decode("utf-8-sig"))))
    report = EvidenceReport.objects.get()
    assert (report.state, report.rows, len(rows)) == ("done", 61, 62)
    assert rows[-1][0] == "'=SUM(A1)" or rows[1][0] == "'=SUM(A1)"
    assert "run 1 try 2" in [row[6] for row in rows]
    assert report.sha256 == hashlib.sha256(files["csv"]).hexdigest()
    with zipfile.ZipFile(io.BytesIO(files["xlsx"])) as book:
        sheet = book.read("xl/worksheets/sheet2.xml").decode()
        assert "<f>" not in sheet
        assert report.sha256 in book.read("xl/worksheets/sheet1.xml").decode()
    assert files["pdf"].startswith(b"%PDF")
    assert files["pdf"].count(b"/Type /Page\n") == pdf.pages_for(61) == 2
    assert AuditEvent.objects.filter(event="evidence_report.downloaded").count() == 3


def test_report_of_an_empty_site_is_one_page(mapping, sponsor):
    report = reports.ask(site=make_site(mapping), by=sponsor, now=clock.now())

    making.work(report_id=report.pk)

    assert EvidenceReport.objects.get().state == "done"
    assert pdf.pages_for(0) == 1


def test_report_asked_twice_is_made_once(mapping, sponsor):
    site = make_site(mapping)

    first, second = (reports.ask(site=site, by=sponsor, now=clock.now()) for _ in range(2))

    assert first == second


def test_cancelled_report_is_not_made(mapping, sponsor, client):
    report = reports.ask(site=make_site(mapping), by=sponsor, now=clock.now())

    client.post(page(mapping, "report-cancel", report.pk))

    assert not making.work(report_id=report.pk)
    assert client.post(page(mapping, "report-download", report.pk, "csv")).status_code == 409
    assert client.get(page(mapping, "reports")).status_code == 200


def test_report_nobody_can_finish_is_given_up(mapping, sponsor):
    report = reports.ask(site=make_site(mapping), by=sponsor, now=clock.now())
    EvidenceReport.objects.update(tries=making.TRIES, state="building")

    assert not making.work(report_id=report.pk)
    assert EvidenceReport.objects.get().state == "failed"


def test_reports_go_when_their_time_is_over(mapping, sponsor):
    report = reports.ask(site=make_site(mapping), by=sponsor, now=clock.now())
    making.work(report_id=report.pk)

    kept = reports.tidy(now=clock.now())
    gone = reports.tidy(now=clock.now() + reports.KEPT)

    assert (kept, gone) == (0, 1)


def test_site_staff_find_none_of_these_pages(mapping):
    site = make_site(mapping)
    staff = make_member(mapping.vault, Permission.ECOA_VIEW_SITES)
    client = Client()
    client.force_login(staff.user)

    for address in (page(mapping, "health"), page(mapping, "alarms"), page(mapping, "rhythm", site.pk)):
        assert client.get(address).status_code == 403


def test_study_switched_on_again_counts_from_then_on(mapping, sponsor):
    site = make_site(mapping)
    silence(site, sponsor)
    manager = make_member(mapping.vault, Permission.ECOA_MANAGE, Permission.MANAGE_CONNECTIONS)
    mappings.edit(mapping, by=manager, is_active=False)
    looking.look(now=clock.now())
    mappings.edit(StudyMapping.objects.get(pk=mapping.pk), by=manager, is_active=True)
    looking.look(now=clock.now() + timedelta(hours=1))

    assert not SilenceAlarm.objects.open().exists()
    assert audit.history(site).filter(event="site.silent").count() == 1
