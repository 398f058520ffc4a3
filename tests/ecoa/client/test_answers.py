import asyncio
import json

import pytest

from ecoa.client import (
    AddressRefused,
    Busy,
    Credentials,
    MyVeevaClient,
    NoAnswer,
    Refused,
    RegionRefused,
    ServiceFault,
    SignInRefused,
    Token,
    Unreachable,
    Unreadable,
)
from ecoa.contract import Code
from tests.fakes.ecoa_machine import HTML, failure, success
from vaultadmin.outbound import Answer, ErrorKind, region_allowed

REGION = "https://sponsors-us.myveeva.com/"
TOKEN = Token("jwt", use_until=0)


class Scripted:
    """A transport that gives one answer and keeps what was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.sent = []

    async def send(self, method, url, **options):
        self.sent.append((method, url, options))
        return self.answer


def client_with(answer):
    transport = Scripted(answer)
    return MyVeevaClient(transport, region_allowed=lambda url: region_allowed(url, ["myveeva.com"])), transport


def upsert(answer, **changes):
    client, _transport = client_with(answer)
    values = {"study": "s", "site": "1005", "participant_id": "1005-003", "internal_id": "i"} | changes
    return asyncio.run(client.upsert_participant(REGION, TOKEN, **values))


def ok(body, status=200):
    return Answer(status=status, body=body, reached=True)


def test_upsert_sends_what_the_specification_shows():
    client, transport = client_with(ok(success("c8e85718")))

    remote_id = asyncio.run(
        client.upsert_participant(REGION, TOKEN, study="5c86", site="1005", participant_id="1005-003", internal_id="9")
    )

    [(method, url, options)] = transport.sent
    assert remote_id == "c8e85718"
    assert (method, url) == ("POST", f"{REGION}services/v24.3/sponsor/5c86/site/1005/participant")
    assert options["body"] == b'{"participantId":"1005-003","internalId":"9"}'
    assert options["headers"]["Authorization"] == "Bearer jwt"


def test_get_returns_both_ids():
    client, transport = client_with(ok(success({"myVeevaParticipantId": "m", "participantId": "1005-003"})))

    found = asyncio.run(client.get_participant(REGION, TOKEN, study="s", site="1005", internal_id="a b/ü"))

    assert (found.my_veeva_participant_id, found.participant_id) == ("m", "1005-003")
    assert transport.sent[0][1].endswith("participant?internalId=a%20b%2F%C3%BC")


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.UNEXPECTED])
def test_documented_failure_is_refused_with_its_code(code):
    with pytest.raises(Refused) as caught:
        upsert(ok(failure(code.value, code.error_type)))

    assert caught.value.code == code.value
    assert not caught.value.retryable
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("status", [200, 500])
def test_unexpected_error_leaves_the_outcome_unknown(status):
    with pytest.raises(ServiceFault) as caught:
        upsert(ok(failure("UE-0001", "UNEXPECTED_ERROR"), status))

    assert (caught.value.code, caught.value.outcome_unknown, caught.value.silent) == ("UE-0001", True, False)


@pytest.mark.parametrize(
    "answer",
    [
        ok(HTML),
        ok(HTML, 404),
        ok(b""),
        ok(success("x")[:-7]),
        ok(b"[]"),
        ok(b'{"responseStatus":"SUCCESS","data":[]}'),
        ok(b'{"responseStatus":"SUCCESS","data":[{"a":1}]}'),
        ok(b'{"responseStatus":"SUCCESS","responseStatus":"SUCCESS","data":["x"]}'),
        Answer(status=302, kind=ErrorKind.REDIRECT, error="no redirects", reached=True),
        Answer(status=200, body=b"x" * 10, truncated=True, kind=ErrorKind.TOO_BIG, error="too big", reached=True),
    ],
)
def test_answer_that_is_none_of_this_api_is_unreadable(answer):
    with pytest.raises(Unreadable) as caught:
        upsert(answer)

    assert caught.value.outcome_unknown
    assert caught.value.retryable


def test_complete_text_of_a_reply_cut_by_the_network_is_not_believed():
    with pytest.raises(NoAnswer):
        upsert(Answer(status=200, body=success("x"), kind=ErrorKind.RESET, error="cut", reached=True))


@pytest.mark.parametrize("kind", [ErrorKind.TIMEOUT, ErrorKind.RESET, ErrorKind.BAD_ANSWER])
def test_request_that_reached_them_without_an_answer_is_unknown(kind):
    with pytest.raises(NoAnswer) as caught:
        upsert(Answer(kind=kind, error="gone", reached=True))

    assert caught.value.outcome_unknown


@pytest.mark.parametrize("kind", [ErrorKind.DNS, ErrorKind.CONNECT, ErrorKind.TLS, ErrorKind.TIMEOUT])
def test_request_that_never_left_is_known_not_to_have_landed(kind):
    with pytest.raises(Unreachable) as caught:
        upsert(Answer(kind=kind, error="no way"))

    assert caught.value.retryable
    assert not caught.value.outcome_unknown


def test_address_our_door_refuses_is_not_tried_again():
    with pytest.raises(AddressRefused) as caught:
        upsert(Answer(kind=ErrorKind.REFUSED_ADDRESS, error="private"))

    assert not caught.value.retryable


@pytest.mark.parametrize("body", [b"", HTML, failure("ID-0001")])
def test_401_is_a_refused_sign_in_whatever_its_body(body):
    with pytest.raises(SignInRefused):
        upsert(ok(body, 401))


@pytest.mark.parametrize(("header", "wait"), [("7", 7), ("0", 1), ("999999", 300), ("soon", 5), ("-3", 5), ("١", 5)])
def test_429_says_how_long_to_wait(header, wait):
    with pytest.raises(Busy) as caught:
        upsert(Answer(status=429, headers={"retry-after": header}, reached=True))

    assert caught.value.retry_after == wait
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize(
    ("date", "wait", "asked"),
    [
        ("Thu, 01 Jan 1970 00:02:00 GMT", 60, 60),
        ("Fri, 01 Jan 1971 00:00:00 GMT", 300, 31_535_940),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 1, 0),
        ("Thu, 99 Jan 1970 00:02:00 GMT", 5, 0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_may_be_a_date(status, date, wait, asked):
    transport = Scripted(Answer(status=status, headers={"retry-after": date}, body=b"away", reached=True))
    client = MyVeevaClient(transport, region_allowed=lambda _url: True, now=lambda: 60.0)

    with pytest.raises((Busy, ServiceFault)) as caught:
        asyncio.run(client.upsert_participant(REGION, TOKEN, study="s", site="1", participant_id="p", internal_id="i"))

    readable = "99" not in date
    assert caught.value.retry_after == (wait if readable or status == 429 else 0)
    assert caught.value.asked == asked


@pytest.mark.parametrize("field", ["site", "study"])
@pytest.mark.parametrize("value", ["", ".", ".."])
def test_identifier_that_would_change_the_path_is_never_sent(field, value):
    client, transport = client_with(ok(success("x")))
    values = {"study": "s", "site": "1", "participant_id": "p", "internal_id": "i"} | {field: value}

    with pytest.raises(Refused):
        asyncio.run(client.upsert_participant(REGION, TOKEN, **values))

    assert transport.sent == []


@pytest.mark.parametrize("value", ["", "a\x00b", "x" * 300, "a\r\nb"])
def test_participant_id_outside_the_contract_is_never_sent(value):
    with pytest.raises(Refused) as caught:
        upsert(ok(success("x")), participant_id=value)

    assert caught.value.code == "ID-0001"


BAD_REGIONS = [
    "http://sponsors-us.myveeva.com/",
    "https://myveeva.com.evil.test/",
    "https://evilmyveeva.com/",
    "https://sponsors-us.myveeva.com:8443/",
    "https://user@sponsors-us.myveeva.com/",
    "https://sponsors-us.myveeva.com@evil.test/",
    "https://127.0.0.1/",
    "https://xn--spnsors-90a.myveeva.com/",
    "//sponsors-us.myveeva.com/",
    "javascript:alert(1)",
    "https://sponsors-us.myveeva.com\\.evil.test/",
    "",
]


@pytest.mark.parametrize("region", [region for region in BAD_REGIONS if region])
def test_region_outside_the_allowed_hosts_is_refused_on_discovery(region):
    client, _transport = client_with(ok(success({"region": region})))

    with pytest.raises(RegionRefused):
        asyncio.run(client.discover("https://sponsors.myveeva.com/", system_id="x", study="s", site="1"))


@pytest.mark.parametrize("region", BAD_REGIONS)
def test_secret_is_never_posted_to_a_region_outside_the_allowed_hosts(region):
    client, transport = client_with(ok(b'{"jwt":"x"}'))

    with pytest.raises(RegionRefused):
        asyncio.run(client.authorize(region, credentials=Credentials("x", "t", "canary")))

    assert transport.sent == []


@pytest.mark.parametrize("token", ["a b", "a\r\nX: y", "", "x" * 9000, "ü"])
def test_token_that_cannot_stand_in_a_header_is_unreadable(token):
    client, _transport = client_with(ok(json.dumps({"jwt": token}).encode()))

    with pytest.raises(Unreadable):
        asyncio.run(client.authorize(REGION, credentials=Credentials("x", "t", "s")))


def test_secrets_show_in_no_repr_and_no_error():
    credentials = Credentials("system", "tenant", "canary-secret" * 200)
    client, _transport = client_with(ok(b"{}"))

    with pytest.raises(Refused) as caught:
        asyncio.run(client.authorize(REGION, credentials=credentials))

    assert "canary" not in repr(credentials) + repr(caught.value) + repr(caught.value.__cause__)
    assert "canary" not in repr(Token("canary", 0))
