import re
from datetime import timedelta

import pytest
from django.urls import reverse

from connections.processing import filing
from tests.connections.messages.conftest import BUSY
from tests.connections.messages.pages import address
from tests.connections.pages import HTMX, sign_in
from tests.factories.connections import make_external
from tests.factories.incoming import make_incoming
from tests.factories.people import make_member, make_vault
from tests.factories.spark import make_inbound
from vaultadmin.permissions import Permission


def listed(browser, traffic, **query):
    text = browser.get(address(traffic, "messages", **query)).content.decode()
    return re.findall(r'<tr id="(?:message|incoming)-(\d+)"', text)


def ids(*rows):
    return [str(row.pk) for row in rows]


def test_list_shows_newest_first_with_dots_and_the_next_try(traffic, operating, now):
    old, new = traffic.delivered(now=now), traffic.put(now=now)
    traffic.settle(BUSY, now=now)

    text = operating.get(address(traffic, "messages")).content.decode()

    assert re.findall(r'<tr id="message-(\d+)"', text) == ids(new, old)
    assert "1 attempt: 1. Not accepted" in text
    assert "data-countdown" in text


@pytest.mark.parametrize("by", ["state", "queue", "connection", "key", "id", "since"])
def test_list_filters(traffic, operating, now, by):
    other = make_external(traffic.admin)
    found = traffic.failed(now=now, items=("OP7",))
    traffic.put(now=now - timedelta(days=2), items=("OP8",))
    value = {
        "state": "failed",
        "queue": traffic.queue.name,
        "connection": traffic.connection.api_name,
        "key": "OP7",
        "id": str(found.message_id),
        "since": "24h",
    }[by]
    query = {"q" if by in ("key", "id") else by: value}

    rows = listed(operating, traffic, **query)

    assert str(found.pk) in rows
    assert len(rows) == (2 if by in ("queue", "connection") else 1)
    assert listed(operating, traffic, connection=other.api_name) == []


def test_list_finds_the_whole_text_of_an_attribute(traffic, operating, now):
    found = traffic.put(now=now, attributes={"study": "S-100"})

    assert listed(operating, traffic, q="S-100") == ids(found)
    assert listed(operating, traffic, q="S-10") == []


def test_list_of_incoming_messages(traffic, operating, now):
    queue = make_inbound(traffic.admin, processor=filing.NAME)
    arrived = make_incoming(queue, None)
    traffic.put(now=now)

    assert listed(operating, traffic, direction="in") == ids(arrived)


def test_list_pages_by_key(traffic, operating, now, monkeypatch):
    monkeypatch.setattr("connections.views.messages.listing.PAGE", 1)
    first, second = traffic.put(now=now), traffic.put(now=now)

    assert listed(operating, traffic) == ids(second)
    assert listed(operating, traffic, before=second.pk) == ids(first)


def test_list_filters_are_chips_that_go_away_one_by_one(traffic, operating):
    text = operating.get(address(traffic, "messages", state="failed", since="7d")).content.decode()

    assert "Remove filter State: Failed" in text
    assert "Remove filter Last 7 days" in text


def test_list_answers_a_poll_of_the_same_with_304(traffic, operating, now):
    traffic.put(now=now)
    first = operating.get(address(traffic, "messages"), headers=HTMX)

    again = operating.get(address(traffic, "messages"), headers=HTMX | {"If-None-Match": first["ETag"]})

    assert again.status_code == 304


def test_list_of_another_vault_is_empty(traffic, now):
    traffic.put(now=now)
    stranger = make_member(make_vault(), Permission.MESSAGES_OPERATE)
    browser = sign_in(stranger)

    text = browser.get(reverse("connections:messages", args=[stranger.vault_id])).content.decode()

    assert "No message has left yet" in text


def test_list_costs_the_same_for_many_messages(traffic, operating, now, django_assert_max_num_queries):
    for _ in range(3):
        traffic.put(now=now)
    traffic.settle(BUSY, now=now)

    with django_assert_max_num_queries(22):
        operating.get(address(traffic, "messages"))
