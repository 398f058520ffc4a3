import json

import pytest
from django.test import Client

from ecoa.models import Participant
from ecoa.services import pushing
from ecoa.views import push
from tests.ecoa.push.conftest import rows
from vaultadmin.models import AuditEvent

ROW = '{"participantId":"p","internalId":"i"}'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{}", "array"),
        ("[]", "empty"),
        ("null", "array"),
        ("[1]", "Row 0"),
        ('[{"participantId":"p"}]', "Row 0"),
        ('[{"participantId":"p","internalId":7}]', "Row 0"),
        (f'[{ROW},{{"participantId":"q","internalId":"j","site":"1005"}}]', "Row 1"),
        ('[{"participantId":"p","internalId":"i","internalId":"j"}]', "same key twice"),
        ('[{"participantId":"p\\u0000","internalId":"i"}]', "NUL"),
        ('[{"participantId":"p\\ud800","internalId":"i"}]', "surrogate"),
        ("[" * 1000, "nested"),
        ("[NaN]", "not a JSON number"),
        ('[{"participantId":"' + "x" * 5000 + '","internalId":"i"}]', "longer"),
        (b"\xff\xfe[]", "byte order"),
        (b"[\xff]", "not UTF-8"),
        ("[" + ROW, "broken"),
    ],
)
def test_body_that_is_no_push_is_refused_in_one_sentence(rtsm, body, words):
    answer = rtsm.push(body)

    problem = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert words in problem["detail"]
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert not Participant.objects.exists()
    assert not AuditEvent.objects.filter(event__startswith="participant").exists()


def test_more_rows_than_a_push_holds_are_refused(rtsm, monkeypatch):
    monkeypatch.setattr(pushing, "MAX_ROWS", 3)

    answer = rtsm.push(rows(1, 2, 3, 4))

    assert (answer.status_code, Participant.objects.count()) == (413, 0)
    assert rtsm.push(rows(1, 2, 3)).status_code == 202


def test_ten_thousand_rows_are_the_limit(rtsm):
    body = json.dumps([{"participantId": f"p{n}", "internalId": f"i{n}"} for n in range(10_001)])

    assert rtsm.push(body).status_code == 413


def test_body_larger_than_any_push_is_refused_before_it_is_read(rtsm, monkeypatch):
    monkeypatch.setattr(push, "MAX_BODY", 1024 * 1024)

    assert rtsm.push(b" " * (1024 * 1024 + 1)).status_code == 413


def test_largest_push_of_the_longest_ids_fits():
    assert len(json.dumps({"participantId": "x" * 255, "internalId": "x" * 255})) * pushing.MAX_ROWS < push.MAX_BODY


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_body_that_does_not_say_json_is_refused(rtsm, kind):
    assert rtsm.push(json.dumps(rows(1)), content_type=kind).status_code == 415


@pytest.mark.parametrize("key", ["a b", "ü", "x" * 256, "\x7f"])
def test_key_that_is_none_is_refused(rtsm, key):
    assert rtsm.push(rows(1), key=key).status_code == 400


@pytest.mark.parametrize("named", ["%00", "a%00b", "%ff", "..", "x" * 3000])
def test_address_nobody_has_is_not_found(rtsm, named):
    answer = rtsm.push(rows(1), path=f"{rtsm.root}/studies/{named}/sites/1005/participants")

    assert answer.status_code == 404


def test_other_methods_are_told_which_one_to_use(rtsm):
    answer = Client().get(rtsm.path, headers={"Authorization": f"Bearer {rtsm.token}"})

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
