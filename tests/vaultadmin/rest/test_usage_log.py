import csv
import io
import zipfile
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client

from tests.connections.pages import sign_in
from tests.factories.people import PASSWORD, make_member, make_user, make_vault
from vaultadmin import clock
from vaultadmin.models import ApiUsage
from vaultadmin.permissions import Permission
from vaultadmin.selectors import api_usage as selectors
from vaultadmin.services import api_usage, tidy

ME = "/v24.3/objects/users/me"
LOG = "/v24.3/logs/api_usage"


@pytest.fixture
def reader(vault):
    return make_member(vault, Permission.API_ACCESS, Permission.API_USAGE_LOGS, user=make_user(password=PASSWORD))


def today() -> str:
    return clock.now().date().isoformat()


def log_file(api, **asked):
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return api.client.get(f"/api{LOG}?{query}", headers={"Host": api.host, "Authorization": api.session} | api.headers)


def unpacked(response) -> tuple[str, str]:
    with zipfile.ZipFile(io.BytesIO(response.getvalue())) as archive:
        name = archive.namelist()[0]
        return name, archive.read(name).decode()


def test_every_call_leaves_one_row_that_says_who_what_and_how_it_ended(api, member, last_row):
    api.headers = {"X-VaultAPI-ClientID": "acme-app"}
    session = api.sign_in(member).body["sessionId"]
    answer = api.get(ME, **{"X-VaultAPI-ReferenceId": "r-1"})

    row = last_row()
    assert ApiUsage.objects.count() == 2
    assert (row.vault, row.user_id, row.username) == (api.vault, member.user_id, member.user.email)
    assert (row.http_method, row.endpoint, row.api_version) == ("GET", f"/api{ME}", "v24.3")
    assert (row.http_response_status, row.api_response_status, row.api_response_error_type) == (200, "SUCCESS", "")
    assert (row.client_id, row.client_ip, row.reference_id) == ("acme-app", "127.0.0.1", "r-1")
    assert (row.session_id, row.api_resource) == (session[:8], "/objects/users/me")
    assert str(row.execution_id) == answer.headers["X-VaultAPI-ExecutionId"]
    assert row.duration >= 0


def test_failed_sign_in_is_logged_with_the_name_that_was_typed_and_never_the_password(api, last_row):
    api.call("POST", "/v24.3/auth", query="username=a%00b@c.test&password=pass-phrase")

    row = last_row()
    assert row.api_response_error_type == "USERNAME_OR_PASSWORD_INCORRECT"
    assert row.username == "a�b@c.test"
    assert "pass-phrase" not in str(vars(row))


def test_log_that_cannot_be_written_does_not_take_the_answer_away(api, member, monkeypatch):
    api.sign_in(member)

    def full(*_args, **_values):
        raise DatabaseError("disk full")

    monkeypatch.setattr(ApiUsage, "save", full)

    assert api.get(ME).ok


def test_day_of_the_log_is_given_out_as_a_zip_with_a_csv(api, reader):
    api.call("POST", "/v24.3/auth", data={"username": "=cmd()", "password": "x"})
    api.sign_in(reader)

    response = log_file(api, date=today(), log_format="csv")
    name, text = unpacked(response)

    assert response["Content-Type"] == "application/octet-stream"
    assert name == f"{api.vault.pk}-{today()}-api_usage.csv"
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == list(selectors.COLUMNS)
    assert [row["username"] for row in rows] == ["'=cmd()", reader.user.email]
    assert rows[1]["sdk_elasped_time"] == ""
    assert rows[1]["timestamp"].endswith("Z")


def test_day_of_the_log_is_given_out_as_a_log_file(api, reader):
    api.sign_in(reader)

    name, text = unpacked(log_file(api, date=today(), log_format="logfile"))

    head, line = text.splitlines()
    assert name.endswith(".log")
    assert head == "#Fields: " + "\t".join(selectors.COLUMNS)
    assert len(line.split("\t")) == len(selectors.COLUMNS)


def test_log_of_another_vault_is_not_in_it(api, reader):
    other = make_vault()
    api.client.get("/api/", headers={"Host": other.dns})
    api.sign_in(reader)

    _name, text = unpacked(log_file(api, date=today()))

    assert len(text.splitlines()) == 2


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", "PARAMETER_REQUIRED"),
        ("date=yesterday", "INVALID_DATA"),
        ("date=2026-02-30", "INVALID_DATA"),
        ("date=9999-12-31", "INVALID_DATA"),
        ("date=0001-01-01", "INVALID_DATA"),
        (f"date={(clock.now() - timedelta(days=32)).date()}", "INVALID_DATA"),
        (f"date={(clock.now() + timedelta(days=2)).date()}", "INVALID_DATA"),
        (f"date={clock.now().date()}&log_format=xml", "INVALID_DATA"),
    ],
)
def test_day_that_is_not_there_is_refused(api, reader, query, error):
    api.sign_in(reader)

    assert api.get(LOG, query=query).error == error


def test_log_needs_its_permission_by_name(api, member):
    api.sign_in(member)

    answer = api.get(LOG, query=f"date={today()}")

    assert answer.error == "INSUFFICIENT_ACCESS"
    assert "Admin: Logs: API Usage Logs" in answer.body["errors"][0]["message"]


def test_rows_are_kept_thirty_days(api):
    api.get("/")
    api.get("/")
    now = clock.now()
    ApiUsage.objects.filter(pk=ApiUsage.objects.latest("pk").pk).update(at=now - timedelta(days=31))

    tidy.sweep(now=now)

    assert ApiUsage.objects.count() == 1


def test_old_rows_go_in_batches(api, monkeypatch):
    monkeypatch.setattr(api_usage, "_BATCH", 2)
    for _ in range(5):
        api.get("/")

    assert api_usage.forget_old(now=clock.now() + timedelta(days=31)) == 5


def test_page_filters_by_day_user_client_connection_and_status(api, reader):
    api.sign_in(reader)
    api.get(ME, query="client_id=acme-app")
    api.get(ME, Authorization="0" * 128)
    browser, page = sign_in(reader), f"/v/{api.vault.pk}/admin/api-usage/"

    def shown(query: str) -> int:
        return browser.get(f"{page}?{query}").content.decode().count('data-label="When"')

    assert shown("") == 3
    assert shown("client_id=acme-app") == 1
    assert shown("status=FAILURE") == 1
    assert shown(f"user={reader.user.email[:6]}") == 2
    assert shown("connection=none") == 0
    assert shown(f"date={today()}") == 3
    assert shown("date=2020-01-01") == 0
    assert shown("date=nonsense&status=%00&user=%00") == 3


def test_page_pages_by_key(api, reader):
    for _ in range(60):
        api.get("/")
    browser, page = sign_in(reader), f"/v/{api.vault.pk}/admin/api-usage/"

    first = browser.get(page).content.decode()

    assert first.count('data-label="When"') == 50
    oldest = ApiUsage.objects.order_by("-pk")[49].pk
    assert f"before={oldest}" in first
    assert browser.get(f"{page}?before={oldest}").content.decode().count('data-label="When"') == 10


def test_day_is_downloaded_as_csv_from_the_page(api, reader):
    api.get("/")

    answer = sign_in(reader).get(f"/v/{api.vault.pk}/admin/api-usage/download/?date={today()}")

    assert answer["Content-Type"].startswith("text/csv")
    assert len(answer.getvalue().decode().splitlines()) == 2


def test_day_nobody_named_leads_back_to_the_page(api, reader):
    answer = sign_in(reader).get(f"/v/{api.vault.pk}/admin/api-usage/download/?date=x")

    assert answer["Location"] == f"/v/{api.vault.pk}/admin/api-usage/"


def test_page_is_for_those_who_may_read_the_log(api, member):
    assert sign_in(member).get(f"/v/{api.vault.pk}/admin/api-usage/").status_code == 403
    assert Client().get(f"/v/{api.vault.pk}/admin/api-usage/").status_code == 302


def test_callers_of_late_are_found_with_their_last_call(api, reader):
    for client_id in ("b-app", "a-app", "b-app"):
        api.get("/", query=f"client_id={client_id}")
    api.get("/")
    api.client.get("/api/?client_id=elsewhere", headers={"Host": make_vault().dns})

    seen = selectors.seen_clients(api.vault)

    assert [one.client_id for one in seen] == ["a-app", "b-app", "unknown"]
    assert seen[1].last_at == ApiUsage.objects.filter(client_id="b-app").latest("pk").at
