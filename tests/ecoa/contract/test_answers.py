import json

import pytest

from ecoa import contract
from ecoa.contract import Code

DISCOVERED = """
{
  "responseStatus": "SUCCESS",
  "responseMessage": "",
  "errorType": null,
  "errors": [

  ],
  "data": [
    {
      "region": "https://sponsors-us.myveeva.com/"
    }
  ]
}
"""
FOUND = """
{
  "responseStatus": "SUCCESS",
  "responseMessage": "",
  "errorType": null,
  "errors": [

  ],
  "data": [
    {
      "myVeevaParticipantId": "c8e85718-7c59-4ef6-8faa-45154ccdb58b",
      "participantId": "1005-003"
    }
  ]
}
"""
WRITTEN = """
{
  "responseStatus": "SUCCESS",
  "responseMessage": "",
  "errorType": null,
  "errors": [

  ],
  "data": [
    "c8e85718-7c59-4ef6-8faa-45154ccdb58b"
  ]
}
"""
REFUSED = """
{
    "responseStatus": "FAILURE",
    "responseMessage": "NOT_FOUND: Mapping info not found",
    "errorType": "NOT_FOUND",
    "errors": [
        {
            "code": "NF-0002",
            "message": "External system ID or external sponsor study ID not found"
        }
    ],
    "data": []
}
"""
PARTICIPANT = "c8e85718-7c59-4ef6-8faa-45154ccdb58b"


def compact(example):
    return json.dumps(json.loads(example), separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("written", "example"),
    [
        (contract.write_region("https://sponsors-us.myveeva.com/"), DISCOVERED),
        (contract.write_participant(my_veeva_participant_id=PARTICIPANT, participant_id="1005-003"), FOUND),
        (contract.write_participant_id(PARTICIPANT), WRITTEN),
        (contract.write_failure(Code.STUDY_NOT_FOUND, "Mapping info not found"), REFUSED),
        (contract.write_token("a.b.c"), '{"jwt": "a.b.c"}'),
    ],
)
def test_answers_equal_the_published_examples_byte_for_byte(written, example):
    assert written == compact(example)


def test_read_answers_give_the_one_value():
    participant = contract.read_participant(200, FOUND.encode())

    assert contract.read_region(200, DISCOVERED.encode()) == "https://sponsors-us.myveeva.com/"
    assert contract.read_token(200, b'{"jwt":"a.b.c"}') == "a.b.c"
    assert (participant.myVeevaParticipantId, participant.participantId) == (PARTICIPANT, "1005-003")
    assert contract.read_participant_id(200, WRITTEN.encode()) == PARTICIPANT


@pytest.mark.parametrize(
    "read", [contract.read_region, contract.read_token, contract.read_participant, contract.read_participant_id]
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_read_failure_envelope_raises_failure_answer(read, status):
    with pytest.raises(contract.FailureAnswer) as caught:
        read(status, REFUSED.encode())

    assert caught.value.status == status
    assert caught.value.error_type == "NOT_FOUND"
    assert caught.value.known_code is Code.STUDY_NOT_FOUND
    assert caught.value.response_message == "NOT_FOUND: Mapping info not found"


def test_read_unknown_code_keeps_its_text():
    raw = (
        b'{"responseStatus":"EXCEPTION","errorType":"NEW","errors":[{"code":"XX-9999","message":"New","more":1}],'
        b'"data":[]}'
    )

    with pytest.raises(contract.FailureAnswer) as caught:
        contract.read_participant_id(200, raw)

    assert (caught.value.code, caught.value.known_code) == ("XX-9999", None)


@pytest.mark.parametrize("raw", [b"", b"<html>sign in</html>", b"{}", b'{"message":"Unauthorized"}', REFUSED.encode()])
def test_read_401_is_a_refusal_whatever_its_body(raw):
    with pytest.raises(contract.FailureAnswer) as caught:
        contract.read_participant_id(401, raw)

    assert caught.value.is_unauthorized


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (200, b""),
        (200, b"<html></html>"),
        (200, b"[]"),
        (200, b'{"responseStatus":"SUCCESS","data":[]}'),
        (200, b'{"responseStatus":"SUCCESS","data":["a","b"]}'),
        (200, b'{"responseStatus":"SUCCESS","data":[""]}'),
        (200, b'{"responseStatus":"SUCCESS","data":[{"a":1}]}'),
        (200, b'{"responseStatus":"SUCCESS","data":"c8e85718"}'),
        (200, b'{"responseStatus":"SUCCESS","responseMessage":"","errorType":null,"errors":[],"da'),
        (200, b'{"responseStatus":"FAILURE","responseStatus":"SUCCESS","data":["a"]}'),
        (200, b'{"data":["a"]}'),
        (502, b'{"responseStatus":"SUCCESS","data":["a"]}'),
        (302, b""),
        (500, b"<h1>Bad Gateway</h1>"),
    ],
)
def test_read_anything_else_raises_unreadable_answer(status, raw):
    with pytest.raises(contract.UnreadableAnswer) as caught:
        contract.read_participant_id(status, raw)

    assert caught.value.status == status


@pytest.mark.parametrize("raw", [b'{"jwt":""}', b'{"jwt":null}', b'{"jwt":{"a":1}}', b'{"token":"x"}'])
def test_read_token_without_a_token_raises_unreadable_answer(raw):
    with pytest.raises(contract.UnreadableAnswer):
        contract.read_token(200, raw)
