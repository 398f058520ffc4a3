import csv
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from connections.services import stats
from tests.connections.pages import HTMX, sign_in
from tests.factories.connections import make_admin, make_external, make_vault_to_vault
from tests.factories.people import make_member
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(admin):
    return make_vault_to_vault(admin)


def record(connection, query=""):
    return reverse("connections:record", args=[connection.vault_id, connection.api_name]) + query


def section(browser, connection, query=""):
    page = browser.get(record(connection, query)).content.decode()
    return re.search(r'<section[^>]*id="stats".*?</section>', page, re.DOTALL)[0]


def table(html):
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)[1:]
    return {
        re.search(r">([\d-]{10})<", row)[1]: [int(value) for value in re.findall(r'data-value="(\d+)"', row)]
        for row in rows
    }


def test_section_shows_thirty_days_with_sums_and_a_sentence(browser, link, now):
    stats.count(link.pk, at=now, sent=1200, received=3, failures=4, retries=4, timeouts=1, fatal=1)
    stats.count(link.pk, at=now - timedelta(days=29), received=5)
    stats.count(link.pk, at=now - timedelta(days=30), sent=99)

    html = section(browser, link)

    days = table(html)
    assert len(days) == 30
    assert days[now.date().isoformat()] == [1200, 3, 4, 4, 1, 1]
    assert "In the last 30 days 1,200 messages were sent and 8 received" in html
    assert "4 attempts failed, 1 of them by timeout" in html
    assert "1 given up" in html
    assert 'data-chart="stats-table"' in html
    assert 'aria-describedby="stats-text"' in html


@pytest.mark.parametrize(("query", "days"), [("?days=7", 7), ("?days=90", 90), ("?days=8", 30), ("?days=٧", 30)])
def test_period_is_chosen_in_the_address(browser, link, now, query, days):
    stats.count(link.pk, at=now, sent=1)

    html = section(browser, link, query)

    assert len(table(html)) == days
    assert re.search(r'aria-current="true"\s+aria-label="Last (\d+) days"', html)[1] == str(days)
    assert f"stats.csv?days={days}" in html


def test_section_without_messages_says_what_makes_them(browser, link):
    html = section(browser, link)

    assert "No message in the last 30 days" in html
    assert "attach this connection to a queue" in html
    assert "data-chart" not in html
    assert ".csv" not in html


def test_every_type_of_connection_has_stats(browser, admin):
    assert "Connection Stats" in section(browser, make_external(admin))


def test_download_has_every_day_of_the_period(browser, link, now):
    stats.count(link.pk, at=now, sent=2, failures=1)

    answer = browser.get(record(link) + "stats.csv?days=7")

    lines = list(csv.reader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))
    assert lines[0] == [
        *("connection__sys", "date__sys", "messages_sent__sys", "messages_received__sys"),
        *("failures__sys", "retries__sys", "timeouts__sys", "fatal_errors__sys"),
    ]
    assert len(lines) == 8
    assert lines[-1] == [link.api_name, now.date().isoformat(), "2", "0", "1", "0", "0", "0"]
    assert answer["Content-Disposition"].startswith("attachment")


def test_download_needs_to_see_the_connection(link):
    other = make_member(link.vault, Permission.ADMIN_AUDIT)
    foreign = make_admin()

    assert sign_in(other).get(record(link) + "stats.csv").status_code == 403
    assert sign_in(foreign).get(record(link) + "stats.csv").status_code == 404


def test_section_costs_one_query(browser, link, now, django_assert_max_num_queries):
    stats.count(link.pk, at=now, sent=1)
    browser.get(record(link))

    with django_assert_max_num_queries(8) as captured:
        browser.get(record(link, "?days=90"), headers=HTMX)

    assert sum("connections_connectionstats" in query["sql"] for query in captured.captured_queries) == 1
