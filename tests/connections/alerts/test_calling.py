import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from connections.constants import AlertKind, CallOutcome
from connections.models import AlertCall
from connections.watching import calling, looking
from tests.connections.alerts.conftest import SECRET
from vaultadmin.outbound import Answer, ErrorKind

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.com/alerts?team=a"


@pytest.fixture
def call(make_rule, carry, now):
    make_rule(AlertKind.FAILURES, threshold=50, window=15, webhook_url=URL, webhook_secret=SECRET)
    carry(failures=5)
    looking.look(now=now)
    return AlertCall.objects.get()


@pytest.fixture
def door(monkeypatch):
    made = []

    def answering(answer):
        def send(method, url, **sent):
            made.append((method, url, sent))
            return answer

        monkeypatch.setattr("vaultadmin.outbound.send", send)
        return made

    return answering


def test_a_call_is_signed_over_its_exact_bytes(call, door, now):
    made = door(Answer(status=204))

    assert calling.deliver_due(now=now) == 1

    [(method, url, sent)] = made
    headers, body = sent["headers"], sent["body"]
    signed = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert (method, url, sent["allow_hosts"]) == ("POST", URL, ["hooks.example.com"])
    assert headers["Webhook-Signature"] == f"v1,{expected}"
    assert json.loads(body)["type"] == "alert.firing"
    call.refresh_from_db()
    assert (call.outcome, call.status) == (CallOutcome.SENT, 204)


def test_a_call_tells_nothing_of_messages_and_nothing_secret(call):
    assert SECRET not in calling.body(call).decode()
    assert set(json.loads(calling.body(call))["data"]) == {
        "vault",
        "alert",
        "rule",
        "kind",
        "place",
        "reason",
        "opened_at",
        "closed_at",
        "url",
    }


def test_a_call_that_was_taken_is_not_made_again(call, door, now):
    door(Answer(status=200))
    calling.deliver_due(now=now)

    assert calling.deliver_due(now=now + timedelta(days=1)) == 0


def test_a_failed_call_is_tried_later_and_given_up_in_the_end(call, door, now):
    door(Answer(status=500))
    at, tries = now, 0
    while AlertCall.objects.filter(settled_at__isnull=True).exists():
        tries += calling.deliver_due(now=at)
        at += timedelta(hours=7)

    call.refresh_from_db()
    assert (tries, call.outcome, call.status) == (len(calling.WAITS) + 1, CallOutcome.GIVEN_UP, 500)
    assert calling.lane(at).parked == 1


def test_a_private_address_is_refused_at_the_door(call, now, settings):
    call.alert.rule.webhook_url = "https://127.0.0.1/alerts"
    call.alert.rule.save()

    calling.deliver_due(now=now)

    call.refresh_from_db()
    assert call.settled_at is None
    assert call.last_error


def test_a_call_without_answer_is_tried_again(call, door, now):
    door(Answer(error="The receiver did not answer in time.", kind=ErrorKind.TIMEOUT))

    calling.deliver_due(now=now)

    call.refresh_from_db()
    assert (call.due_at, call.last_error) == (now + calling.WAITS[0], "The receiver did not answer in time.")


def test_a_call_whose_webhook_was_taken_away_is_dropped(call, door, now):
    made = door(Answer(status=200))
    rule = call.alert.rule
    rule.webhook_url, rule.secret = "", None
    rule.save()

    calling.deliver_due(now=now)

    call.refresh_from_db()
    assert (made, call.outcome) == ([], CallOutcome.DROPPED)
