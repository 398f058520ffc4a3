import re

import pytest
from django.db import OperationalError
from django.test import Client

from connections.views import spark
from tests.served import served
from vaultadmin import straight
from vaultadmin.straight import Way

pytestmark = pytest.mark.django_db
# An address of the product that answers a POST of strangers by 401, so that it is seen who answered.
ADDRESS = "/v/12/spark/arrivals__c"


@pytest.fixture
def calls(monkeypatch):
    heard = []

    def take(call):
        heard.append(call)
        return call.body != b"no"

    monkeypatch.setattr(straight, "ways", [Way(re.compile(r"/v/([0-9]+)/spark/(\w+)"), 20, take)])
    return heard


def post(body=b"yes", path=ADDRESS, **options):
    return served().generic("POST", path, body, content_type="application/json", **options)


def test_way_that_does_everything_answers_an_empty_200(calls):
    answer = post(headers={"X-Mark": "m"})

    assert (answer.status_code, answer.content, answer["Content-Length"]) == (200, b"", "0")
    [call] = calls
    assert (call.named, call.body, call.environ["HTTP_X_MARK"]) == (("12", "arrivals__c"), b"yes", "m")


@pytest.mark.parametrize("is_secure", [False, True])
def test_straight_answer_carries_what_every_other_answer_carries(calls, is_secure):
    usual = Client().generic("POST", ADDRESS, b"no", secure=is_secure)

    straight_one = post(secure=is_secure)

    own = {"Content-Length", "Content-Type", "WWW-Authenticate"}
    assert {*usual.headers} - own == {*straight_one.headers} - own
    assert all(usual[name] == straight_one[name] for name in {*usual.headers} - own)


def test_what_the_way_does_not_take_reaches_the_view_whole(calls, monkeypatch):
    bodies = []
    accept = spark.accepting.accept
    monkeypatch.setattr(
        spark.accepting, "accept", lambda posted, **place: (bodies.append(posted.raw), accept(posted, **place))
    )

    assert post(b"no").status_code == 401
    assert (len(calls), bodies) == (1, [b"no"])


@pytest.mark.parametrize(
    "options",
    [
        {"path": f"{ADDRESS}?tenant=a"},
        {"path": "/v/12/spark/"},
        {"body": b"longer than it may be"},
        {"CONTENT_LENGTH": "3.0"},
        {"CONTENT_LENGTH": ""},
        {"SCRIPT_NAME": "/below"},
    ],
    ids=str,
)
def test_what_is_not_plain_goes_to_the_view_at_once(calls, options):
    assert post(**options).status_code in (401, 404, 413)
    assert calls == []


def test_get_goes_to_the_view(calls):
    assert served().get(ADDRESS).status_code == 405
    assert calls == []


def test_plain_http_is_redirected_where_it_is_for_everybody(calls, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert post().status_code == 301
    assert post(secure=True).status_code == 200
    assert len(calls) == 1


def test_proxy_says_that_a_call_came_over_https(calls, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert post(headers={"X-Forwarded-Proto": "https"}).status_code == 200
    assert post(headers={"X-Forwarded-Proto": "http"}).status_code == 301


def test_way_that_breaks_off_is_logged_and_the_view_answers(monkeypatch, caplog):
    def take(_call):
        raise OperationalError("away")

    monkeypatch.setattr(straight, "ways", [Way(re.compile(ADDRESS), 20, take)])

    assert post().status_code == 401
    assert "straight_way_failed" in caplog.text
