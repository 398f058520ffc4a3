import pytest

from ecoa import contract

DISCOVER = (
    b'{"externalSystemId":"mv-ext-NT-VeevaPharm-RTSM","externalStudySiteId":"1005",'
    b'"externalSponsorStudyId":"5c8684a9-f2ec-4c69-b4bc-16cd05450fc2"}'
)
AUTHORIZE = (
    b'{"externalSystemId":"mv-ext-NT-VeevaPharm-RTSM","externalSystemSecret":"your-secret",'
    b'"tenantId":"NT-VeevaPharm-RTSM"}'
)
POST = b'{"participantId":"1005-003","internalId":"925c6db2-b07b-49fe-8f92-0f6a2cb405a6"}'


@pytest.mark.parametrize(
    ("read", "example"),
    [
        (contract.read_discover, DISCOVER),
        (contract.read_authorize, AUTHORIZE),
        (contract.read_participant_post, POST),
    ],
)
def test_write_gives_the_published_example_back(read, example):
    assert contract.write(read(example)) == example


def test_read_ignores_unknown_fields():
    request = contract.read_participant_post(b'{"internalId":"i","participantId":"p","site":"1005","__proto__":{}}')

    assert (request.participantId, request.internalId) == ("p", "i")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"participantId":"p"}', "internalId is required"),
        (b'{"participantId":"p","internalId":null}', "internalId must be a string"),
        (b'{"participantId":7,"internalId":"i"}', "participantId must be a string"),
        (b'{"participantId":"","internalId":"i"}', "participantId must not be empty"),
        (b'{"participantId":"   ","internalId":"i"}', "participantId must not be blank or contain control characters"),
        (b'{"participantId":"a\\n","internalId":"i"}', "participantId must not be blank or contain control characters"),
        (b'{"participantId":"' + b"p" * 256 + b'","internalId":"i"}', "participantId is too long"),
        (b"[]", "the body must be a JSON object"),
    ],
)
def test_read_invalid_request_names_the_field(raw, reason):
    with pytest.raises(contract.InvalidRequest) as caught:
        contract.read_participant_post(raw)

    assert str(caught.value) == reason


def test_read_invalid_request_never_repeats_the_secret():
    with pytest.raises(contract.InvalidRequest) as caught:
        contract.read_authorize(b'{"externalSystemId":"a","externalSystemSecret":"hush-hush"}')

    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_authorize_request_hides_the_secret_when_shown():
    assert "your-secret" not in repr(contract.read_authorize(AUTHORIZE))


@pytest.mark.parametrize("value", [None, "", " ", "a\x00", "a" * 256])
def test_read_internal_id_refuses_what_is_no_identifier(value):
    with pytest.raises(contract.InvalidRequest):
        contract.read_internal_id(value)


def test_read_internal_id_accepts_any_visible_text():
    assert contract.read_internal_id("Zoë 7/3 — 日本") == "Zoë 7/3 — 日本"
