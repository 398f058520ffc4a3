import pytest

from ecoa.contract import find_code
from ecoa.service.models import MappingState, ServiceStudyMapping, ServiceSystem
from tests.ecoa.service.caller import STUDY, code_of, mint, participant_path

EVERYWHERE = ["discover", "get", "post"]


def ask(caller, call, *, study=STUDY, site="1005", version="v24.3"):
    if call == "discover":
        return caller.discover(study=study, site=site, version=version)
    if call == "get":
        return caller.get("nobody", study=study, site=site, version=version)
    return caller.post("1005-777", "somebody", study=study, site=site, version=version)


@pytest.mark.parametrize("call", EVERYWHERE)
@pytest.mark.parametrize("version", ["v24", "24.3", "latest", "v24.33"])
def test_unknown_version_is_nf_0001(caller, call, version):
    response = ask(caller, call, version=version)

    assert (response.status_code, code_of(response)) == (200, "NF-0001")


def test_unknown_version_of_authorize_is_nf_0001(caller):
    response = caller.authorize(version="v0")

    assert (response.status_code, code_of(response)) == (200, "NF-0001")


@pytest.mark.parametrize("call", EVERYWHERE)
def test_refused_places_answer_their_code(caller, places, call):
    asked = {
        "NF-0002": {"study": places.unmapped_study},
        "NF-0003": {"site": places.unknown_site},
        "ID-0002": {"site": places.site_of_other_study},
        "IC-0001": {"site": places.unconfigured_site},
        "IC-0002": {"study": places.disabled_study, "site": places.odd_study_site},
        "IC-0003": {"study": places.withdrawn_study, "site": places.odd_study_site},
    }

    responses = {code: ask(caller, call, **place) for code, place in asked.items()}

    assert {code: (response.status_code, code_of(response)) for code, response in responses.items()} == {
        code: (200, code) for code in asked
    }
    for code, response in responses.items():
        assert response.json()["errors"] == [{"code": code, "message": find_code(code).message}]


@pytest.mark.parametrize("call", EVERYWHERE)
def test_study_nobody_has_is_nf_0002(caller, call):
    assert code_of(ask(caller, call, study="no such study")) == "NF-0002"


@pytest.mark.parametrize("call", EVERYWHERE)
def test_disabled_system_is_ic_0002(caller, call):
    ServiceSystem.objects.update(integration_enabled=False)

    assert code_of(ask(caller, call)) == "IC-0002"


@pytest.mark.parametrize("call", EVERYWHERE)
def test_withdrawing_a_mapping_counts_at_once(caller, call):
    assert ask(caller, call).status_code == 200
    ServiceStudyMapping.objects.update(state=MappingState.WITHDRAWN)

    assert code_of(ask(caller, call)) == "IC-0003"


@pytest.mark.parametrize("call", EVERYWHERE)
def test_site_of_a_study_the_system_cannot_reach_stays_unmentioned(caller, places, call):
    ServiceStudyMapping.objects.filter(study__external_id=f"{STUDY}-other").delete()

    assert code_of(ask(caller, call, site=places.site_of_other_study)) == "NF-0003"


def test_site_of_another_region_is_nf_0003(caller):
    assert code_of(caller.get("nobody", site="2001")) == "NF-0003"
    assert code_of(caller.post("p", "i", site="2001")) == "NF-0003"


def test_unknown_participant_is_nf_0004(caller):
    response = caller.get("nobody")

    assert (response.status_code, code_of(response)) == (200, "NF-0004")


def test_participant_of_another_study_is_nf_0004(caller, places):
    caller.written("p-1", "i-1")

    other = caller.get("i-1", study=f"{STUDY}-other", site=places.site_of_other_study)

    assert code_of(other) == "NF-0004"


def test_taken_participant_id_is_id_0003(caller, places):
    assert code_of(caller.post(places.taken_participant_id, "newcomer")) == "ID-0003"


def test_failing_participant_is_ue_0001(caller, places, caplog):
    response = caller.post("1005-500", f"{places.failing_internal_prefix}1")

    assert (response.status_code, code_of(response)) == (500, "UE-0001")
    reference = response.json()["responseMessage"].rpartition("reference ")[2].rstrip(")")
    assert reference in caplog.text
    assert code_of(caller.get(f"{places.failing_internal_prefix}1")) == "NF-0004"


def test_missing_internal_id_is_id_0001(caller):
    response = caller.client.get(participant_path(), HTTP_AUTHORIZATION=f"Bearer {mint()}")

    assert (response.status_code, code_of(response)) == (400, "ID-0001")


@pytest.mark.parametrize("query", ["internalId=", "internalId=a&internalId=b", "internalId=%00", "internalId=+"])
def test_malformed_internal_id_is_id_0001(caller, query):
    response = caller.client.get(f"{participant_path()}?{query}", HTTP_AUTHORIZATION=f"Bearer {mint()}")

    assert (response.status_code, code_of(response)) == (400, "ID-0001")


def test_too_many_query_fields_are_id_0001(caller):
    query = "&".join(f"f{number}=1" for number in range(500))

    response = caller.client.get(f"{participant_path()}?{query}", HTTP_AUTHORIZATION=f"Bearer {mint()}")

    assert (response.status_code, code_of(response)) == (400, "ID-0001")


@pytest.mark.parametrize("name", ["\x00", "a\x00b", "x" * 5000, "é\u202e日", "'; DROP TABLE x; --", "%"])
def test_odd_names_in_the_address_are_simply_unknown(caller, name):
    assert code_of(caller.get("i", study=name)) == "NF-0002"
    assert code_of(caller.get("i", site=name)) == "NF-0003"
