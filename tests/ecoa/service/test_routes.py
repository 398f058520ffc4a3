import pytest

from tests.ecoa.service.caller import STUDY, code_of, mint

PLACE = f"sponsor/{STUDY}/site/1005/participant"


@pytest.mark.parametrize(
    "path",
    [
        f"/myveeva/us//services/v24.3/{PLACE}",
        f"/myveeva//us/services/v24.3/{PLACE}",
        f"//myveeva/us/services//v24.3//{PLACE}",
        f"/myveeva/us/services/v24.3/{PLACE}/",
        f"/myveeva/us/services/v24.3/{PLACE}//",
    ],
)
def test_badly_joined_addresses_are_answered(caller, path):
    body = {"participantId": "1005-003", "internalId": "i"}
    response = caller.send("/", body, PATH_INFO=path, HTTP_AUTHORIZATION=f"Bearer {mint()}")

    assert response.status_code == 200
    assert response.json()["responseStatus"] == "SUCCESS"


@pytest.mark.parametrize(
    "path", ["/myveeva/global//services/v24.3/discover-study-site", "/myveeva/us//auth/v24.3/authorize"]
)
def test_badly_joined_public_calls_reach_their_call(caller, path):
    response = caller.send(path, b"{}")

    assert (response.status_code, code_of(response)) == (400, "ID-0001")


@pytest.mark.parametrize(
    "path",
    [
        "/myveeva",
        "/myveeva/",
        "/myveeva/us",
        "/myveeva/xx/auth/v24.3/authorize",
        "/myveeva/us/services/v24.3/discover-study-site",
        "/myveeva/global/auth/v24.3/authorize",
        "/myveeva/us/services/v24.3/sponsor//site//participant",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_unknown_addresses_answer_404_and_never_redirect(caller, path, method):
    response = getattr(caller.client, method)(path)

    assert response.status_code == 404
    assert code_of(response) == "NF-0001"


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/myveeva/global/services/v24.3/discover-study-site", "POST"),
        ("/myveeva/us/auth/v24.3/authorize", "POST"),
        (f"/myveeva/us/services/v24.3/{PLACE}", "GET, POST"),
        ("/myveeva/openapi.json", "GET"),
    ],
)
@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_refused_in_the_envelope(caller, path, methods, method):
    response = getattr(caller.client, method)(path)

    assert response.status_code == 405
    assert response["Allow"] == methods
    assert code_of(response) == "NF-0001"


def test_calls_need_no_cookie_and_set_none(caller):
    response = caller.discover()

    assert not response.cookies
