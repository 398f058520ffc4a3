from datetime import timedelta

import pytest
from django.test import Client

from connections.services.messages import traffic
from connections.services.messages.traffic import Passage
from connections.services.stats import Counts
from connections.views.flow import span
from tests.factories.connections import make_external
from tests.factories.people import make_member
from tests.factories.spark import make_outbound, make_spark_admin, put
from vaultadmin import clock
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return make_spark_admin()


@pytest.fixture
def link(admin):
    return make_outbound(admin, make_external(admin)).connections.select_related("queue", "connection").get()


@pytest.fixture
def browser(admin):
    return signed_in(admin)


def signed_in(member):
    client = Client()
    client.force_login(member.user)
    return client


def places(link):
    base = f"/v/{link.vault_id}/admin/"
    connection = f"{base}connections/{link.connection.api_name}/flow/"
    return [connection, f"{base}queues/{link.queue.name}/flow/", f"{base}messages/flow/"]


def test_every_place_shows_what_waits_and_what_went_through(admin, link, browser):
    now = clock.now()
    put(link.queue, admin, now=now - timedelta(minutes=5))
    passage = Passage(Counts(sent=40, failures=2), [0.5] * 40)
    traffic.count_many({(link.queue_id, link.connection_id): passage}, at=now)

    for place in places(link):
        page = browser.get(place).content.decode()

        assert "40 messages went through" in page
        assert "2 attempts failed" in page
        assert 'class="bar-through"' in page
        assert "5 minutes ago" in page


def test_a_page_without_news_is_answered_with_304(link, browser):
    place = places(link)[1]
    tag = browser.get(place).headers["ETag"]

    assert browser.get(place, headers={"If-None-Match": tag}).status_code == 304


def test_a_connection_without_queue_says_what_would_fill_it(admin, browser):
    connection = make_external(admin)

    page = browser.get(f"/v/{admin.vault_id}/admin/connections/{connection.api_name}/").content.decode()

    assert "No queue uses this" in page


def test_a_queue_of_another_vault_is_not_found(link):
    stranger = signed_in(make_spark_admin())
    base = f"/v/{link.vault_id}"

    assert stranger.get(places(link)[1]).status_code == 404
    assert stranger.get(f"{base}/admin/messages/flow/").status_code == 404


def test_who_only_reads_connections_sees_theirs_and_no_queue(admin, link):
    reader = signed_in(make_member(admin.vault, Permission.CONNECTION_READ))
    connection, queue, messages = places(link)

    assert reader.get(connection).status_code == 200
    assert reader.get(queue).status_code == 403
    assert reader.get(messages).status_code == 403


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.005, "0.005 s"), (0.31, "0.31 s"), (4.24, "4.2 s"), (95, "95 s"), (150, "2.5 min"), (1800, "30 min")],
)
def test_a_length_of_time_has_two_figures(seconds, words):
    assert span(seconds) == words
