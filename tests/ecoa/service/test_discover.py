import pytest

from ecoa.service import views
from ecoa.service.models import ServiceSite, ServiceStudy
from tests.ecoa.service.caller import STUDY, SYSTEM, code_of


@pytest.mark.parametrize(("site", "region"), [("1005", "us"), ("2001", "eu"), ("3001", "ap")])
def test_discover_answers_the_region_below_the_origin_asked(caller, site, region):
    response = caller.discover(site=site, secure=True)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.content == (
        b'{"responseStatus":"SUCCESS","responseMessage":"","errorType":null,"errors":[],'
        b'"data":[{"region":"https://ecoa.demo.test/myveeva/%s/"}]}' % region.encode()
    )


def test_discover_keeps_the_port_of_the_host_header(caller):
    response = caller.discover(HTTP_HOST="localhost:8300")

    assert response.json()["data"] == [{"region": "http://localhost:8300/myveeva/us/"}]


def test_discover_prefers_the_urls_of_the_settings(caller, settings):
    settings.ECOA_REGIONS = "us=https://us.example.com, eu=https://eu.example.com/base/"

    assert caller.discover().json()["data"] == [{"region": "https://us.example.com/"}]
    assert caller.discover(site="2001").json()["data"] == [{"region": "https://eu.example.com/base/"}]
    assert code_of(caller.discover(site="3001")) == "IC-0001"


def test_discover_accepts_internal_ids(caller):
    study = ServiceStudy.objects.get(external_id=STUDY)
    site = ServiceSite.objects.get(study=study, number="1005")

    assert caller.discover(study=study.internal_id, site=site.internal_id).status_code == 200


def test_discover_never_names_a_region_below_a_foreign_host(places, rf):
    body = {"externalSystemId": SYSTEM, "externalStudySiteId": "1005", "externalSponsorStudyId": STUDY}
    request = rf.post("/", body, content_type="application/json", HTTP_HOST="evil.example.com")

    response = views.discover(request, version="v24.3")

    assert response.status_code == 400
    assert b"ID-0001" in response.content
    assert b"evil" not in response.content


def test_discover_unknown_system_is_not_found_rather_than_unauthorized(caller):
    response = caller.discover(system="somebody else")

    assert response.status_code == 200
    assert response.content == (
        b'{"responseStatus":"FAILURE","responseMessage":"NOT_FOUND: Mapping info not found","errorType":"NOT_FOUND",'
        b'"errors":[{"code":"NF-0002","message":"External system ID or external sponsor study ID not found"}],'
        b'"data":[]}'
    )
