import asyncio
import base64
import json

import pytest

from ecoa.client import Caches, Credentials, MyVeevaClient, NoAnswer, Refused, SingleFlight, StudySession
from ecoa.client.caches import ExpiringStore
from ecoa.client.jwt_age import use_until
from tests.fakes.ecoa_machine import success
from vaultadmin.outbound import Answer


def jwt(**claims):
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{middle}.sig"


class Clock:
    def __init__(self):
        self.time = 1000.0

    def __call__(self):
        return self.time


def test_value_ends_with_its_time():
    clock = Clock()
    store = ExpiringStore(now=clock)
    store.put("k", "v", until=1010)

    assert store.get("k") == "v"
    clock.time = 1010
    assert store.get("k") is None


def test_full_store_lets_the_oldest_go():
    store = ExpiringStore(now=Clock(), size=2)
    for key in "abc":
        store.put(key, key, until=9999)

    assert [store.get(key) for key in "abc"] == [None, "b", "c"]


def test_dropping_an_old_value_keeps_the_newer_one():
    store = ExpiringStore(now=Clock())
    store.put("k", "new", until=9999)
    store.drop("k", "old")

    assert store.get("k") == "new"


def test_hundred_waiting_ask_once():
    asked = []

    async def ask():
        asked.append(1)
        await asyncio.sleep(0.01)
        return "answer"

    async def everybody():
        flight = SingleFlight(now=Clock())
        return await asyncio.gather(*(flight.do("k", ask) for _ in range(100)))

    assert set(asyncio.run(everybody())) == {"answer"}
    assert len(asked) == 1


@pytest.mark.parametrize(("error", "lasts"), [(Refused("no", code="IC-0002"), 30), (NoAnswer("gone"), 1)])
def test_failure_is_shared_for_a_while_and_then_asked_again(error, lasts):
    clock, asked = Clock(), []

    async def ask():
        asked.append(1)
        raise error

    async def scene():
        flight = SingleFlight(now=clock)
        for moment in (1000, 1000 + lasts - 0.5, 1000 + lasts + 0.5):
            clock.time = moment
            with pytest.raises(type(error)):
                await flight.do("k", ask)

    asyncio.run(scene())
    assert len(asked) == 2


def test_one_who_gives_up_waiting_does_not_cancel_the_others():
    async def scene():
        flight = SingleFlight(now=Clock())
        answer = asyncio.get_running_loop().create_future()
        first, second = (asyncio.create_task(flight.do("k", lambda: answer)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        answer.set_result("late")
        return await second

    assert asyncio.run(scene()) == "late"


@pytest.mark.parametrize(
    ("token", "until"),
    [
        (jwt(exp=5000), 4940),
        (jwt(exp=1030), 1005),
        (jwt(exp=10**12), 1000 + 86400),
        (jwt(sub="x"), 1300),
        (jwt(exp=True), 1300),
        (jwt(exp="5000"), 1300),
        ("not-a-jwt", 1300),
        ("a.!!!.b", 1300),
        ("a.bnVsbA.b", 1300),
    ],
)
def test_token_is_used_until_shortly_before_it_expires(token, until):
    assert use_until(token, now=1000) == until


def test_token_of_an_old_secret_is_not_used_after_a_rotation():
    sent = []

    class Transport:
        async def send(self, method, url, *, body=b"", **_options):
            sent.append(json.loads(body)["externalSystemSecret"])
            return Answer(status=200, body=b'{"jwt":"t"}', reached=True)

    caches = Caches()
    client = MyVeevaClient(Transport(), region_allowed=lambda _url: True)
    for secret in ("old", "old", "new"):
        session = StudySession(
            client, base_url="https://a/", credentials=Credentials("s", "t", secret), study="x", caches=caches
        )
        asyncio.run(session.token("https://r/"))

    assert sent == ["old", "new"]


def test_call_without_time_left_is_not_made():
    sent = []

    class Transport:
        async def send(self, *_call, **_options):
            sent.append(1)
            return Answer(status=200, body=success("x"), reached=True)

    session = StudySession(
        MyVeevaClient(Transport(), region_allowed=lambda _url: True),
        base_url="https://a/",
        credentials=Credentials("s", "t", "x"),
        study="x",
        time_left=lambda: 0.5,
    )
    with pytest.raises(Exception, match="no time left"):
        asyncio.run(session.upsert(site="1", participant_id="p", internal_id="i"))
    assert sent == []
