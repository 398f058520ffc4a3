from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from connections.models import MessageCopy, QueueLogEntry, QueueTrace, Replay, ReplayState
from connections.services.messages import queue_log, replay_work
from tests.connections.messages.conftest import GONE
from tests.connections.pages import HTMX, sign_in
from tests.factories.people import make_member
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission

KEY = "00000000-0000-0000-0000-000000000007"


def address(traffic, name, *args, **query):
    url = reverse(f"connections:{name}", args=[traffic.operator.vault_id, *args])
    return f"{url}?{urlencode(query)}" if query else url


def planned(browser, traffic, **query):
    answer = browser.post(address(traffic, "replay-plan", **({"state": "failed"} | query)), {"key": KEY})
    assert answer.status_code == 302, answer.content.decode()
    return Replay.objects.get()


def test_plan_start_and_result_in_the_browser(traffic, operating, now):
    traffic.failed(now=now)
    traffic.put(now=now)
    replay = planned(operating, traffic, state="")
    page = address(traffic, "replay", replay.pk)
    assert "sends 1 message again and leaves 1 out" in operating.get(page).content.decode()

    operating.post(address(traffic, "replay-start", replay.pk), {"reason": "Receiver was down"})
    replay_work.work(now=lambda: now)

    text = operating.get(page).content.decode()
    assert "1 of 1 message was put" in text
    assert "It is still being tried." in text


def test_the_plan_of_a_moment_takes_what_entered_since(traffic, operating, now):
    traffic.failed(now=now - timedelta(hours=2))
    moment = traffic.failed(now=now - timedelta(hours=1))
    traffic.failed(now=now)

    replay = planned(operating, traffic, since=moment.entered_at.isoformat())

    assert replay.total == 2
    assert "Failed messages since" in replay.words


def test_the_result_links_each_failure(traffic, operating, now):
    traffic.failed(now=now)
    replay = planned(operating, traffic)
    operating.post(address(traffic, "replay-start", replay.pk))
    replay_work.work(now=lambda: now)
    traffic.settle(GONE, now=now)
    again = MessageCopy.objects.get(resend_of__isnull=False)

    text = operating.get(address(traffic, "replay", replay.pk)).content.decode()

    assert address(traffic, "message", again.message_id) in text


@pytest.mark.parametrize("typed", ["", "3", "two"])
def test_a_large_plan_is_started_by_typing_its_number(traffic, operating, now, monkeypatch, typed):
    monkeypatch.setattr("connections.forms.messages.MANY", 2)
    for _ in range(2):
        traffic.failed(now=now)
    replay = planned(operating, traffic)
    url = address(traffic, "replay-start", replay.pk)

    assert operating.post(url, {"amount": typed}).status_code == 422
    assert Replay.objects.get().state == ReplayState.PLANNED
    operating.post(url, {"amount": " 2 "})

    assert Replay.objects.get().state == ReplayState.RUNNING


def test_pause_resume_and_cancel_in_the_browser(traffic, operating, now):
    traffic.failed(now=now)
    replay = planned(operating, traffic)
    operating.post(address(traffic, "replay-start", replay.pk))
    seen = []

    for act in ("pause", "resume", "cancel"):
        answer = operating.post(address(traffic, f"replay-{act}", replay.pk), headers=HTMX)
        seen.append((answer.status_code, Replay.objects.get().state))

    assert seen == [(204, "paused"), (204, "running"), (204, "cancelled")]


def test_what_is_not_possible_is_said_and_not_done(traffic, operating, now):
    traffic.failed(now=now)
    replay = planned(operating, traffic)

    answer = operating.post(address(traffic, "replay-pause", replay.pk))

    assert answer.status_code == 409
    assert "This replay is not running." in answer.content.decode()


def test_a_plan_of_nothing_shows_the_dialog_again(traffic, operating):
    answer = operating.post(address(traffic, "replay-plan", state="failed"), {"key": KEY})

    assert answer.status_code == 422
    assert "No message fits" in answer.content.decode()


def test_the_list_of_replays_answers_the_same_with_304(traffic, operating, now):
    traffic.failed(now=now)
    planned(operating, traffic)
    first = operating.get(address(traffic, "replays"), headers=HTMX)

    again = operating.get(address(traffic, "replays"), headers=HTMX | {"If-None-Match": first["ETag"]})

    assert "Replay" in first.content.decode()
    assert again.status_code == 304


def test_a_day_of_the_log_is_downloaded_and_that_is_on_record(traffic, operating, now):
    traffic.failed(now=now)

    answer = operating.get(address(traffic, "queue-log-file", day=now.date()))

    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[0].lstrip("\ufeff") == ",".join(queue_log.COLUMNS)
    assert "REMOVAL" in lines[1]
    assert lines[1].endswith("(masked)")
    assert AuditEvent.objects.get(event="queue_log.downloaded").changes["with bodies"] == [None, False]


def test_a_day_with_content_asks_for_fresh_credentials(traffic, operating, now):
    traffic.failed(now=now, items=("OP7",))
    url = address(traffic, "queue-log-bodies", day=now.date())
    assert "OP7" in b"".join(operating.get(url).streaming_content).decode()

    session = operating.session
    session["account_authentication_methods"] = [{"method": "password", "at": now.timestamp() - 3600}]
    session.save()

    assert operating.get(url).status_code == 302


@pytest.mark.parametrize("day", ["", "yesterday", "2026-02-31"])
def test_a_day_that_is_none_leads_back_to_the_page(traffic, operating, day):
    assert operating.get(address(traffic, "queue-log-file", day=day))["Location"] == address(traffic, "queue-log")


def test_the_page_of_the_log_lists_days_and_traces(traffic, operating, now):
    traffic.failed(now=now)
    operating.post(address(traffic, "queue-log-trace"), {"queue": traffic.queue.pk})

    text = operating.get(address(traffic, "queue-log")).content.decode()

    assert f"Download {now.date()}" in text
    assert "Every attempt of" in text
    assert QueueTrace.objects.get().queue == traffic.queue


def test_a_trace_of_no_queue_is_refused(traffic, operating):
    assert operating.post(address(traffic, "queue-log-trace"), {"queue": ""}).status_code == 422


def test_who_reads_queue_logs_reads_them_and_no_content(traffic, now):
    traffic.failed(now=now)
    browser = sign_in(make_member(traffic.operator.vault, Permission.QUEUE_LOG))

    assert browser.get(address(traffic, "queue-log")).status_code == 200
    assert browser.get(address(traffic, "queue-log-file", day=now.date())).status_code == 200
    assert browser.get(address(traffic, "queue-log-bodies", day=now.date())).status_code == 403
    assert browser.post(address(traffic, "queue-log-trace"), {"queue": traffic.queue.pk}).status_code == 403


def test_lines_outlive_their_queue(traffic, operating, now):
    traffic.failed(now=now)
    traffic.queue.delete()

    answer = operating.get(address(traffic, "queue-log-file", day=now.date()))

    assert "REMOVAL" in b"".join(answer.streaming_content).decode()
    assert QueueLogEntry.objects.count() == 1
