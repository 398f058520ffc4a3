import json
import ssl
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import asdict
from http.client import HTTPSConnection

import pytest
from django.conf import settings

from bench import environment
from bench.lean_ecoa.calls import HELD, Calls, Setting
from bench.lean_ecoa.server import Asked
from bench.stand import listens
from ecoa import contract
from vaultadmin import clock, embedded
from vaultadmin.embedded.processes import wait_until
from vaultadmin.embedded.tls import development_tls

SETTING = Setting("RTSM", "s3cret", "tenant", "study", {"1005": "us"})
PLACE = "/myveeva/us/services/v24.3/sponsor/study/site/1005/participant"


def ask(calls, path, *, body=None, token="", method="POST"):
    return calls.answer(Asked(method, path, "ecoa.test", token, json.dumps(body or {}).encode()))


def sign_in(calls, secret="s3cret"):
    body = {"externalSystemId": "RTSM", "externalSystemSecret": secret, "tenantId": "tenant"}
    return ask(calls, "/myveeva/us/auth/v24.3/authorize", body=body)


def post(calls, participant_id, internal_id, token):
    return ask(calls, PLACE, body={"participantId": participant_id, "internalId": internal_id}, token=token)


@pytest.fixture
def calls():
    return Calls(SETTING)


@pytest.fixture
def token(calls):
    return contract.read_token(*sign_in(calls))


def test_site_is_found_in_its_region(calls):
    body = {"externalSystemId": "RTSM", "externalStudySiteId": "1005", "externalSponsorStudyId": "study"}

    found = ask(calls, "/myveeva/global/services/v24.3/discover-study-site", body=body)

    assert contract.read_region(*found) == "https://ecoa.test/myveeva/us/"


def test_participant_is_kept_and_read_back(calls, token):
    named = contract.read_participant_id(*post(calls, "p-1", "i-p-1", token))

    found = contract.read_participant(*ask(calls, f"{PLACE}?internalId=i-p-1", token=token, method="GET"))
    assert (named, found.myVeevaParticipantId, found.participantId) == ("remote-i-p-1", "remote-i-p-1", "p-1")
    assert ask(calls, f"{HELD}p-", method="GET") == (200, b"1")


def test_value_in_the_wrong_row_is_not_counted(calls, token):
    post(calls, "p-1", "i-p-2", token)

    assert ask(calls, f"{HELD}p-", method="GET") == (200, b"0")


@pytest.mark.parametrize("wrong", ["", "made.up.token"])
def test_call_without_its_token_is_refused(calls, wrong):
    with pytest.raises(contract.FailureAnswer) as refused:
        contract.read_participant_id(*post(calls, "p-1", "i-p-1", wrong))

    assert refused.value.is_unauthorized
    assert sign_in(calls, secret="guessed")[0] == 401


def test_participant_id_belongs_to_one_participant(calls, token):
    post(calls, "p-1", "i-1", token)

    with pytest.raises(contract.FailureAnswer) as refused:
        contract.read_participant_id(*post(calls, "p-1", "i-2", token))

    assert refused.value.known_code is contract.Code.PARTICIPANT_EXISTS


def test_answers_wait_as_long_as_they_are_told():
    tls = development_tls(embedded.paths(settings.DATA_DIR), now=clock.now())
    port = environment.free_ports(1)
    says = [str(port), str(tls.certificate), str(tls.key), json.dumps(asdict(SETTING)), "60"]
    server = subprocess.Popen([sys.executable, "-m", "bench.lean_ecoa", *says], cwd=environment.ROOT)
    try:
        with closing(connect(port, ssl.create_default_context(cafile=tls.authority))) as link:
            started = time.monotonic()
            answers = [answer_of(link) for _ in range(3)]
            took = time.monotonic() - started
    finally:
        server.terminate()
        server.wait(timeout=20)

    assert answers == [b"0"] * 3
    assert took >= 0.18


def connect(port, context):
    assert wait_until(lambda: listens(port), seconds=30)
    link = HTTPSConnection("localhost", port, timeout=20, context=context)
    link.connect()
    return link


def answer_of(link):
    link.request("GET", f"{HELD}p-")
    return link.getresponse().read()
