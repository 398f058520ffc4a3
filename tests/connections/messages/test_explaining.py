from datetime import UTC, datetime

import pytest

from connections.constants import AttemptOutcome
from connections.delivery import claiming, settling
from connections.delivery.building import build
from connections.delivery.outcomes import Result
from connections.delivery.policy import POLICY
from connections.delivery.routing import route_of
from connections.delivery.sent import Sent
from connections.models import DeliveryAttempt, MessageCopy
from connections.services import explaining
from connections.spark.explaining import first_difference, lines
from connections.tokens import PATTERN

OURS = (
    "x-vaultapisignature-certificateid:00001\n"
    "x-vaultapisignature-url:https://r.example.com/?a=1\n"
    '{"queue_name":"q","message":{"attributes":{"a":1},"items":[]}}\n'
    "https://r.example.com/?a=1"
)


def test_lines_say_what_each_of_them_is():
    found = lines(OURS)

    assert [line.number for line in found] == [1, 2, 3, 4]
    assert found[0].what == "The certificate whose public key verifies the signature"
    assert found[2].what.startswith("The body")
    assert found[3].what.startswith("The whole URL")


@pytest.mark.parametrize("theirs", [OURS, OURS.replace("\n", "\r\n")], ids=["the_same", "with_cr_lf"])
def test_the_same_string_does_not_differ(theirs):
    assert first_difference(OURS, theirs) is None


@pytest.mark.parametrize(
    ("change", "place", "hint"),
    [
        (lambda text: text.replace(":00001", ":00002"), (1, 39), "Only headers"),
        (lambda text: text.replace("certificateid", "CertificateId"), (1, 21), "Only the case"),
        (lambda text: text.replace("certificateid:", "certificateid: "), (1, 35), "Spaces differ"),
        (lambda text: text.replace('{"queue_name"', '{ "queue_name"'), (3, 2), "Spaces differ"),
        (lambda text: text.replace('"a":1}', '"a":2}'), (3, 48), "bytes of the body"),
        (
            lambda text: text.replace("https://r.example.com/?a=1\n{", "https://r.example.com/?a=1{"),
            (2, 51),
            "line break",
        ),
        (lambda text: text + "\n", (4, 27), "no line break follows"),
        (lambda text: text[:-4], (4, 23), "a part of it is missing"),
        (lambda text: text[:-4] + "?b=1", (4, 24), "The URL"),
        (lambda _text: "", (1, 1), "a part of it is missing"),
    ],
    ids=["value", "case", "space", "space_in_body", "body", "break", "end", "short", "url", "empty"],
)
def test_the_first_difference_is_found_with_a_hint(change, place, hint):
    found = first_difference(OURS, change(OURS))

    assert found is not None
    assert (found.line, found.column) == place
    assert hint in found.hint


def test_anything_may_stand_where_a_value_was_not_kept():
    ours = OURS.replace('"a":1}', '"a":"${Session.ConnectionUserSessionId}"}')
    theirs = OURS.replace('"a":1}', '"a":"8D7F6A-live-session"}')

    assert first_difference(ours, theirs, unknown=PATTERN) is None
    found = first_difference(ours, theirs.replace("items", "Items"), unknown=PATTERN)
    assert found is not None
    assert found.theirs.startswith("Items")


def signed(traffic, now, **draft) -> tuple[MessageCopy, DeliveryAttempt]:
    traffic.put(now=now, **draft)
    [batch] = claiming.take(now=now, policy=POLICY, lanes=1)
    route = route_of(batch.lane, now=now)
    route.prepare(batch.jobs)
    call = build(route, batch.jobs[0], now=now)
    result = Result(AttemptOutcome.DELIVERED, 200, 5)
    sent = [Sent(batch.jobs[0], result, call.url, call.certificate_id, call.sent_at, call.digest)]
    settling.settle(batch, sent, policy=POLICY, now=now)
    copy = MessageCopy.objects.select_related("content", "queue", "vault").get()
    return copy, copy.tries.get()


def test_what_is_rebuilt_is_the_very_string_that_was_signed(traffic, now):
    copy, attempt = signed(traffic, now, items=("Ä1",), attributes={"n": 1.5, "b": True, "t": "ß"})

    rebuilt = explaining.rebuild(attempt, copy)

    assert rebuilt.is_exact
    begin, end = rebuilt.payload
    assert rebuilt.text[begin:end] == copy.content.payload


def test_a_name_that_changed_since_is_noticed(traffic, now):
    copy, attempt = signed(traffic, now)
    copy.vault.name = "Renamed"

    assert not explaining.rebuild(attempt, copy).is_exact


def test_the_string_with_the_values_of_tokens_is_known_by_its_digest(traffic, now):
    copy, attempt = signed(traffic, now, attributes={"from": "${Vault.id}"})
    rebuilt = explaining.rebuild(attempt, copy)
    filled = rebuilt.text.replace("${Vault.id}", str(copy.vault_id))

    verdict = explaining.compare(attempt, copy, filled, revealed=False, by=traffic.operator)

    assert (rebuilt.is_exact, rebuilt.has_unknown) == (False, True)
    assert verdict.is_signed


def test_an_attempt_keeps_the_time_of_its_signature(traffic):
    now = datetime(2026, 5, 14, 9, 12, 3, 123_456, tzinfo=UTC)
    _copy, attempt = signed(traffic, now)

    assert attempt.started_at == now
