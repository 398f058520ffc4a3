import http.client
import json

import pytest

from ecoa import contract
from ecoa.service import faults
from ecoa.service.models import ServiceParticipant
from ecoa.service.models.faults import FaultCall, FaultKind
from tests.ecoa.service.caller import mint, participant_path
from vaultadmin import audit

# Whether the first bytes still get out before the connection ends is up to the network.
CUT_OFF = (http.client.IncompleteRead, http.client.RemoteDisconnected)


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
    with pytest.raises(CUT_OFF):
        post(port, "dropped")
    assert is_stored("dropped")

    arm(FaultKind.CLOSE)
    with pytest.raises(CUT_OFF):
        post(port, "closed")
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
