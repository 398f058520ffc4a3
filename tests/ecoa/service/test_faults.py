import json
from functools import partial

import pytest

from ecoa import contract
from ecoa.service import faults
from ecoa.service.models import ServiceFault, ServiceParticipant
from ecoa.service.models.faults import FaultCall, FaultKind
from ecoa.services.refusals import Refused
from tests.ecoa.service.caller import code_of
from vaultadmin import audit

BY = audit.System("test")


def arm(kind, call=FaultCall.POST, region="us", **more):
    return faults.arm(region=region, call=call, kind=kind, by=BY, **more)


def is_stored(internal):
    return ServiceParticipant.objects.filter(internal_id=internal).exists()


def test_error_500_does_nothing_and_is_gone_after_its_count(caller):
    arm(FaultKind.ERROR_500, remaining=2)

    answers = [caller.post("1005-003", "i") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [500, 500, 200]
    assert [code_of(answer) for answer in answers[:2]] == ["UE-0001", "UE-0001"]


def test_html_does_nothing_and_is_no_answer(caller):
    arm(FaultKind.HTML)

    response = caller.post("1005-003", "i")

    assert not is_stored("i")
    with pytest.raises(contract.UnreadableAnswer):
        contract.read_participant_id(response.status_code, response.content)


def test_dropped_reply_has_written_and_sends_less_than_promised(caller):
    arm(FaultKind.DROP_REPLY)

    response = caller.post("1005-003", "i")
    sent = b"".join(response.streaming_content)

    assert is_stored("i")
    assert 0 < len(sent) < int(response["Content-Length"])


def test_closed_connection_has_written_nothing_and_sends_no_body(caller):
    arm(FaultKind.CLOSE)

    response = caller.post("1005-003", "i")

    assert not is_stored("i")
    assert b"".join(response.streaming_content) == b""
    assert int(response["Content-Length"]) > 0


def test_late_answer_has_written_and_is_whole(caller):
    arm(FaultKind.HANG, hold_seconds=0.01)

    response = caller.post("1005-003", "i")

    assert is_stored("i")
    assert response.json()["responseStatus"] == "SUCCESS"


def test_fault_meets_only_its_region_call_and_prefix(caller):
    arm(FaultKind.ERROR_500, internal_id_prefix="x%")
    arm(FaultKind.ERROR_500, region="eu")
    arm(FaultKind.ERROR_500, call=FaultCall.GET)

    assert caller.post("1005-003", "xy").status_code == 200
    assert caller.post("1005-004", "x%y").status_code == 500
    assert caller.get("xy").status_code == 500
    assert caller.post("2001-003", "e", site="2001", region="eu").status_code == 500


def test_faults_meet_discover_and_authorize_too(caller):
    arm(FaultKind.ERROR_500, call=FaultCall.DISCOVER, region=faults.GLOBAL)
    arm(FaultKind.ERROR_500, call=FaultCall.AUTHORIZE, region="us")

    assert [caller.discover().status_code, caller.discover().status_code] == [500, 200]
    assert [caller.authorize().status_code, caller.authorize().status_code] == [500, 200]


def test_refused_call_uses_up_no_fault(caller, places):
    fault = arm(FaultKind.ERROR_500)

    caller.post("1005-003", "i", site=places.unknown_site)

    assert ServiceFault.objects.get(pk=fault.pk).remaining == 1


def test_fault_that_somebody_removed_meanwhile_is_refused(db):
    fault = arm(FaultKind.ERROR_500)
    faults.disarm(fault, by=BY)

    for act in (faults.disarm, faults.rewind, partial(faults.switch, on=False)):
        with pytest.raises(Refused):
            act(fault, by=BY)


def test_disarmed_fault_is_gone(caller):
    faults.disarm(arm(FaultKind.ERROR_500), by=BY)

    assert caller.post("1005-003", "i").status_code == 200


def test_production_arms_no_fault_and_ignores_armed_ones(caller, settings):
    arm(FaultKind.ERROR_500)
    settings.PRODUCTION = True

    assert caller.post("1005-003", "i").status_code == 200
    with pytest.raises(faults.FaultsRefused):
        arm(FaultKind.ERROR_500)


@pytest.mark.parametrize("setting", [{"PRODUCTION": True}, {"ECOA_FAULTS": False}], ids=str)
def test_installation_without_faults_refuses_every_way_to_one(db, settings, setting):
    fault = arm(FaultKind.ERROR_500)
    for name, value in setting.items():
        setattr(settings, name, value)

    ways = [
        lambda: arm(FaultKind.ERROR_500),
        lambda: faults.play("slow", by=BY),
        lambda: faults.switch(faults.switch(fault, on=False, by=BY), on=True, by=BY),
        lambda: ServiceFault.objects.create(region="us", call="post", kind="html"),
        fault.save,
    ]

    for way in ways:
        with pytest.raises(faults.FaultsRefused, match="Faults cannot be armed"):
            way()
    assert faults.clear(by=BY) == 1


def test_slow_body_has_written_and_arrives_whole(caller):
    arm(FaultKind.SLOW_BODY, hold_seconds=0.02)

    response = caller.post("1005-003", "i")
    pieces = list(response.streaming_content)

    assert is_stored("i")
    assert len(pieces) > 10
    assert json.loads(b"".join(pieces))["responseStatus"] == "SUCCESS"


def test_rate_limit_does_nothing_and_says_when_to_come_again(caller):
    arm(FaultKind.RATE_LIMIT, hold_seconds=6.2)

    response = caller.post("1005-003", "i")

    assert (response.status_code, response["Retry-After"]) == (429, "7")
    assert not is_stored("i")


def test_expired_token_is_given_out_and_refused(caller):
    arm(FaultKind.EXPIRED_TOKEN, call=FaultCall.AUTHORIZE)
    token = caller.authorize().json()["jwt"]

    assert caller.post("1005-003", "i", token=token).status_code == 401
    assert caller.post("1005-003", "i", token=caller.authorize().json()["jwt"]).status_code == 200


def test_good_token_is_taken_for_an_expired_one(caller):
    arm(FaultKind.EXPIRED_TOKEN)

    assert [caller.post("1005-003", "i").status_code for _ in range(2)] == [401, 200]


def test_wrong_region_is_named_by_discovery(caller):
    arm(FaultKind.WRONG_REGION, call=FaultCall.DISCOVER, region=faults.GLOBAL)

    regions = [caller.discover().json()["data"][0]["region"] for _ in range(2)]

    assert [region.split("/")[-2] for region in regions] == ["eu", "us"]


def test_wrong_region_does_not_find_the_site(caller):
    arm(FaultKind.WRONG_REGION)

    assert code_of(caller.post("1005-003", "i")) == "NF-0003"
    assert not is_stored("i")


def test_latency_comes_on_top_of_another_fault(caller):
    latency = arm(FaultKind.LATENCY, hold_seconds=0.01)
    arm(FaultKind.ERROR_500)

    assert caller.post("1005-003", "i").status_code == 500
    assert ServiceFault.objects.get(pk=latency.pk).injected == 1


def test_hold_is_bounded(db):
    assert arm(FaultKind.HANG, hold_seconds=1e9).hold_seconds == faults.HOLD_MAX_SECONDS


def test_unexpected_error_tells_nothing_but_a_reference(caller, monkeypatch):
    monkeypatch.setattr("ecoa.service.store.upsert", lambda *_, **__: json.loads("{secret detail"))

    response = caller.post("1005-003", "i")

    assert (response.status_code, code_of(response)) == (500, "UE-0001")
    assert b"secret" not in response.content
    assert b"JSON" not in response.content
