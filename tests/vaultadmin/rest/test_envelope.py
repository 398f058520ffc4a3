import re

import pytest

from tests.ecoa.service.bodies import BODIES
from tests.factories.people import make_vault
from vaultadmin import registries
from vaultadmin.models import VaultSettings
from vaultadmin.rest.resources import users
from vaultadmin.rest.versions import PUBLISHED
from vaultadmin.services import api_sign_in

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.parametrize("path", ["", "/", "/v24.3", "/v24.3/", "/v19.1", "/v31.2"])
def test_versions_are_listed_without_a_session(api, path):
    answer = api.get(path)

    assert answer.body["responseStatus"] == "SUCCESS"
    assert answer.body["values"]["v24.3"] == f"http://{api.host}/api/v24.3"
    assert list(answer.body["values"]) == list(PUBLISHED)
    assert (PUBLISHED[0], PUBLISHED[-1]) == ("v19.1", "v25.3")
    assert "X-VaultAPI-UserId" not in answer.headers


def test_versions_tell_whether_a_session_lives(api, member):
    api.sign_in(member)

    assert api.get("/v24.3").headers["X-VaultAPI-UserId"] == str(member.user_id)
    assert api.get("/v24.3", Authorization="0" * 128).error == "INVALID_SESSION_ID"


@pytest.mark.parametrize(
    "path", ["/v24", "/v24.30", "/24.3/auth", "/v24.3/nowhere", "/v24.3/objects/users", "/x", "/v24.3/auth/more"]
)
def test_what_is_no_resource_is_malformed(api, path):
    answer = api.get(path)

    assert answer.status == 200
    assert answer.body["responseStatus"] == "FAILURE"
    assert answer.error == "MALFORMED_URL"


@pytest.mark.parametrize("number", ["0", str(2**62), "9" * 18, "9" * 40, "9" * 5000])
def test_vault_nobody_has_is_answered_in_the_envelope(api, number):
    api.root = f"/v/{number}/api"

    assert api.get("/v24.3/objects/users/me").error in ("INVALID_SESSION_ID", "MALFORMED_URL")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v24.3/auth"),
        ("POST", "/v24.3"),
        ("PUT", "/v24.3/keep-alive"),
        ("GET", "/v24.3/session"),
        ("DELETE", "/v24.3/objects/users/me"),
        ("PATCH", "/"),
        ("OPTIONS", "/v24.3/auth"),
    ],
)
def test_wrong_verb_is_not_supported(api, method, path):
    assert api.call(method, path).error == "METHOD_NOT_SUPPORTED"


def test_every_answer_carries_its_headers(api, member):
    api.sign_in(member)

    headers = api.get("/v24.3/objects/users/me", **{"X-VaultAPI-ReferenceId": "order 66"}).headers

    assert UUID.fullmatch(headers["X-VaultAPI-ExecutionId"])
    assert headers["X-VaultAPI-Status"] == "SUCCESS"
    assert headers["X-VaultAPI-VaultId"] == str(api.vault.pk)
    assert headers["X-VaultAPI-BurstLimit"] == "2000"
    assert 0 < int(headers["X-VaultAPI-BurstLimitRemaining"]) < 2000
    assert headers["X-VaultAPI-ReferenceId"] == "order 66"
    assert headers["Cache-Control"] == "no-store, private"
    assert headers["Content-Type"].startswith("application/json")
    assert "X-VaultAPI-ResponseDelay" not in headers


@pytest.mark.parametrize("path", ["/v24.3/auth", "/v24.3/nowhere", "/v24.3/objects/users/me"])
def test_refusals_carry_both_burst_headers_too(api, path):
    headers = api.get(path).headers

    assert headers["X-VaultAPI-Status"] == "FAILURE"
    assert {"X-VaultAPI-BurstLimit", "X-VaultAPI-BurstLimitRemaining"} <= set(headers)


@pytest.mark.parametrize("sent", ["é", "x" * 101, "\x01"])
def test_reference_that_no_header_can_hold_is_not_echoed(api, sent):
    assert "X-VaultAPI-ReferenceId" not in api.get("/", **{"X-VaultAPI-ReferenceId": sent}).headers


def test_unforeseen_error_is_an_exception_with_its_reference(api, monkeypatch, last_row):
    def broken(**_values):
        raise RuntimeError("the secret reason")

    monkeypatch.setattr(api_sign_in, "check", broken)

    answer = api.call("POST", "/v24.3/auth", data={"username": "a@b.test", "password": "x"})

    assert answer.status == 200
    assert answer.body["responseStatus"] == "EXCEPTION"
    assert answer.error == "UNEXPECTED_ERROR"
    assert answer.headers["X-VaultAPI-ExecutionId"] in answer.body["errors"][0]["message"]
    assert "secret reason" not in str(answer.body)
    assert last_row().api_response_status == "EXCEPTION"


def test_host_we_do_not_answer_to_is_refused_in_the_envelope(api):
    api.host = "evil.test"

    assert api.get("/v24.3/objects/users/me").error == "INVALID_DATA"


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", "", "a/b; c="])
@pytest.mark.parametrize("name", BODIES)
def test_no_body_breaks_the_sign_in(api, name, kind):
    response = api.client.generic(
        "POST", "/api/v24.3/auth", BODIES[name], content_type=kind, headers={"Host": api.host}
    )

    assert response.status_code == 200
    assert response.json()["responseStatus"] == "FAILURE"


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\xe9",
        f"multipart/form-data; boundary={'b' * 300}",
        "application/x-www-form-urlencoded; charset=utf-7",
        "application/x-www-form-urlencoded; charset=nonsense",
        "multipart/form-data; boundary=x; charset=nonsense",
    ],
)
@pytest.mark.parametrize(
    "raw", [b"", b"--x\r\n", b"username=%ff%fe&password=%00", b"--x\r\nContent-Disposition: a\r\n\r\n"]
)
def test_no_broken_form_breaks_the_sign_in(api, kind, raw):
    response = api.client.generic("POST", "/api/v24.3/auth", raw, content_type=kind, headers={"Host": api.host})

    assert response.status_code == 200
    assert response.json()["responseStatus"] == "FAILURE"


@pytest.mark.parametrize("length", ["-1", "x", "1e9", str(2**70)])
def test_announced_length_that_cannot_be_is_refused(api, length):
    kind = "application/x-www-form-urlencoded"
    response = api.client.generic(
        "POST", "/api/v24.3/auth", b"a=b", content_type=kind, headers={"Host": api.host}, CONTENT_LENGTH=length
    )

    assert response.json()["errors"][0]["type"] == "EXCEEDS_FILE_MAX_SIZE"


@pytest.mark.parametrize(
    "query",
    [
        "client_id=%ff",
        "client_id=%00",
        "&" * 3000,
        "a=b&" * 1000,
        "client_id=" + "x" * 9000,
        "%",
        "client_id=a&client_id=b",
    ],
)
def test_no_query_breaks_a_call(api, query, last_row):
    answer = api.get("/v24.3", query=query)

    assert answer.status == 200
    assert answer.body["responseStatus"] in ("SUCCESS", "FAILURE")
    assert last_row().client_id in ("unknown", "invalid_client_id")


@pytest.mark.parametrize("path", ["/v24.3/%00", "/v24.3/%ff", "/%2e%2e/etc", "/v24.3/" + "x" * 3000])
def test_no_path_breaks_the_envelope_or_the_log(api, path, last_row):
    assert api.get(path).error == "MALFORMED_URL"
    assert len(last_row().endpoint) <= 500


def test_apps_add_resources_by_the_registry(monkeypatch):
    from vaultadmin.rest import urls

    monkeypatch.setattr(registries, "rest_resources", [registries.RestResource("services/queues", users.me)])

    routes = [str(entry.pattern) for entry in urls._addresses()]

    assert "api/<api_version:version>/services/queues" in routes
    assert "v/<int:vault_id>/api/<api_version:version>/services/queues/" in routes


def test_filtering_of_one_vault_is_no_matter_to_another(api, member):
    VaultSettings.objects.create(vault=make_vault(), client_id_filtering=True)

    assert api.sign_in(member).ok
