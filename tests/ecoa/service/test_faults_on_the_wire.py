import http.client
import json
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest
from django.db import connection

from ecoa import contract
from ecoa.service import faults, seeding
from ecoa.service.models import ServiceParticipant
from ecoa.service.models.faults import FaultCall, FaultKind
from tests.ecoa.service.caller import SECRET, STUDY, SYSTEM, TENANT, mint, participant_path
from tests.tools.engines import free_port_pair
from vaultadmin import audit
from vaultadmin.embedded import children

ROOT = Path(__file__).resolve().parents[3]
STARTS_WITHIN = 30


@pytest.fixture
def port(transactional_db, tmp_path):
    """The service behind the server it ships with, on the database of this test."""
    seeding.seed_demo(system_id=SYSTEM, secret=SECRET, tenant_id=TENANT, study_id=STUDY, sites={"1005": "us"})
    number = free_port_pair()
    environment = os.environ | {"VAULTADMIN_DATABASE_NAME": connection.settings_dict["NAME"]}
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(children.web(number), cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_until_it_listens(server, number)
        yield number
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_until_it_listens(server, number):
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", number), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("The server did not start.")


def post(port, internal, timeout=10.0):
    carrier = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    headers = {"Authorization": f"Bearer {mint()}", "Host": "localhost"}
    body = json.dumps({"participantId": f"1005-{internal}", "internalId": internal})
    try:
        carrier.request("POST", participant_path(), body, headers)
        response = carrier.getresponse()
        return response.status, response.read()
    finally:
        carrier.close()


def arm(kind, **more):
    faults.arm(region="us", call=FaultCall.POST, kind=kind, by=audit.System("test"), **more)


def is_stored(internal):
    return ServiceParticipant.objects.filter(internal_id=internal).exists()


def test_faults_are_what_a_caller_sees(port):
    arm(FaultKind.DROP_REPLY)
    with pytest.raises(http.client.IncompleteRead) as cut:
        post(port, "dropped")
    assert cut.value.partial
    assert is_stored("dropped")

    arm(FaultKind.CLOSE)
    with pytest.raises(http.client.IncompleteRead) as closed:
        post(port, "closed")
    assert not closed.value.partial
    assert not is_stored("closed")

    arm(FaultKind.HANG, hold_seconds=3)
    with pytest.raises(TimeoutError):
        post(port, "late", timeout=0.5)
    assert is_stored("late")

    arm(FaultKind.HTML)
    status, body = post(port, "page")
    assert body.startswith(b"<!doctype html>")
    assert not is_stored("page")

    arm(FaultKind.ERROR_500)
    with pytest.raises(contract.FailureAnswer, match="UE-0001"):
        contract.read_participant_id(*post(port, "failed"))

    status, body = post(port, "fine")
    assert contract.read_participant_id(status, body)
