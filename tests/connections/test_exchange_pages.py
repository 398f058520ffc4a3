import json
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from connections.constants import BindingState, ConnectionState
from connections.models import Binding, Connection, IssuedFile
from connections.services import editing
from connections.services.handshake import exchange
from tests.connections.handshake import decide, fresh, other_side, settle, states, upload
from tests.connections.pages import HTMX, address, hidden_fields, sign_in
from tests.factories.connections import (
    make_vault_to_vault,
)
from tests.factories.people import PASSWORD
from vaultadmin import clock

pytestmark = pytest.mark.django_db


def test_download_dialog_explains_and_gives_the_file(admin, browser):
    connection = make_vault_to_vault(admin, api_name="link")
    url = address(connection, "download")
    dialog = browser.get(url, headers=HTMX).content.decode()

    answer = browser.post(url, hidden_fields(dialog))

    assert "expires after 72 hours" in dialog
    assert answer["Content-Disposition"] == 'attachment; filename="link.connection.json"'
    assert json.loads(answer.content)["connection"]["api_name"] == "link"
    assert browser.post(url, hidden_fields(dialog)).content == answer.content
    assert IssuedFile.objects.count() == 1


def test_download_needs_fresh_credentials(admin):
    admin.user.set_password("correct horse battery staple")
    admin.user.save()
    connection = make_vault_to_vault(admin)
    stale = Client()
    stale.force_login(admin.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    answer = stale.get(address(connection, "download"))

    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]


def send_file(browser, url, raw, **headers):
    return browser.post(url, {"file": SimpleUploadedFile("x.connection.json", raw)}, headers=headers)


def test_upload_on_the_list_creates_the_record_and_goes_there(pair):
    browser = sign_in(pair.target_admin)

    answer = send_file(browser, reverse("connections:connect-from-file", args=[pair.target.pk]), pair.file(named=True))

    connection = Connection.objects.get(vault=pair.target)
    assert answer["Location"] == address(connection)
    assert connection.state == ConnectionState.ACTIVE
    assert b"is established" in browser.get(answer["Location"]).content


def test_upload_in_a_dialog_redirects_the_page(pair):
    url = reverse("connections:connect-from-file", args=[pair.target.pk])

    answer = send_file(sign_in(pair.target_admin), url, pair.file(), **HTMX)

    assert (answer.status_code, answer["HX-Redirect"]) == (204, address(Connection.objects.get(vault=pair.target)))


def test_upload_on_a_record_binds_it(pair):
    record = make_vault_to_vault(pair.target_admin)

    send_file(sign_in(pair.target_admin), address(record, "connect-record"), pair.file(named=True))

    assert states(record) == ["Active"]


@pytest.mark.parametrize("raw", [b"no json", b"{}", b"x" * 3_000_000])
def test_bad_upload_shows_one_sentence_in_the_form(pair, raw):
    url = reverse("connections:connect-from-file", args=[pair.target.pk])

    answer = send_file(sign_in(pair.target_admin), url, raw, **HTMX)

    assert answer.status_code == 422
    assert "connection file" in answer.content.decode()
    assert not Connection.objects.filter(vault=pair.target).exists()


def signer(member):
    member.user.set_password(PASSWORD)
    member.user.save()
    return sign_in(member)


def complete(browser, binding, **fields):
    url = address(binding.connection, "complete")
    form = hidden_fields(browser.get(url, headers=HTMX).content.decode())
    return browser.post(url, form | {"password": PASSWORD} | fields, headers=HTMX)


def test_approver_completes_the_task_on_the_record(pair):
    binding = upload(pair.file(), pair.target_admin)
    browser = signer(pair.target_approver)
    page = browser.get(address(binding.connection)).content.decode()
    assert "Complete</a>" in page

    answer = complete(browser, binding, verdict="approve", comment="Fine.")

    assert answer.status_code == 204
    assert "connection:changed" in json.loads(answer["HX-Trigger"])
    assert states(binding.connection) == ["Approved"]


def test_rejection_needs_a_comment(pair):
    binding = upload(pair.file(), pair.target_admin)
    browser = signer(pair.target_approver)

    assert complete(browser, binding, verdict="reject").status_code == 422
    assert complete(browser, binding, verdict="reject", comment="No.").status_code == 204
    assert states(binding.connection) == ["Pending"]


def test_requester_sees_why_they_cannot_complete(pair):
    binding = upload(pair.file(), pair.target_admin)
    browser = sign_in(pair.target_admin)

    page = browser.get(address(binding.connection)).content.decode()
    dialog = browser.get(address(binding.connection, "complete"), headers=HTMX)
    forced = browser.post(address(binding.connection, "complete"), {"verdict": "approve"}, headers=HTMX)

    assert "Complete</a>" not in page
    assert "somebody else" in dialog.content.decode()
    assert (forced.status_code, states(binding.connection)) == (409, ["Pending"])


def test_changed_request_must_be_looked_at_again(pair):
    binding = upload(pair.file(), pair.target_admin)
    browser = sign_in(pair.target_approver)
    url = address(binding.connection, "complete")
    form = hidden_fields(browser.get(url, headers=HTMX).content.decode())
    assert form["version"] == exchange.version_of(binding)
    editing.edit(
        connection=binding.connection,
        changes={"authorized_user": pair.target_admin},
        by=pair.target_admin,
        now=clock.now(),
    )

    answer = browser.post(url, form | {"verdict": "approve"}, headers=HTMX)

    assert answer.status_code == 409
    assert states(binding.connection) == ["Pending"]


def test_request_is_withdrawn_from_the_record(pair):
    binding = upload(pair.file(), pair.target_admin)

    answer = sign_in(pair.target_admin).post(address(binding.connection, "withdraw"), headers=HTMX)

    assert answer.status_code == 204
    assert fresh(binding).state == BindingState.WITHDRAWN


def test_file_is_revoked_from_the_record(admin, browser):
    connection = make_vault_to_vault(admin)
    browser.post(address(connection, "download"), {"file_id": str(uuid4())})

    answer = browser.post(address(connection, "revoke"))

    assert answer["Location"] == address(connection)
    assert IssuedFile.objects.get().revoked_at is not None
    assert "Revoked" in browser.get(address(connection)).content.decode()


def test_waiting_page_is_told_when_something_changed(pair):
    binding = upload(pair.file(), pair.target_admin)
    browser = sign_in(pair.target_admin)
    poll = browser.get(address(binding.connection)).context["poll_url"]

    before = browser.get(poll, headers=HTMX)
    decide(binding, pair.target_approver)
    after = browser.get(poll, headers=HTMX)

    assert (before.status_code, "HX-Trigger" in before) == (204, False)
    assert after["HX-Trigger"] == "connection:changed"


def test_source_page_is_told_when_its_file_is_used(pair):
    source = pair.source_record(remote_vault_id=pair.target.pk)
    raw = pair.file(connection=source)
    browser = sign_in(pair.source_admin)
    poll = browser.get(address(source)).context["poll_url"]

    assert "HX-Trigger" not in browser.get(poll, headers=HTMX)
    upload(raw, pair.target_admin)

    assert browser.get(poll, headers=HTMX)["HX-Trigger"] == "connection:changed"
    assert browser.get(address(source)).context["poll_url"] == ""


def test_timeline_tells_both_sides(pair):
    binding = upload(pair.file(), pair.target_admin)
    decide(other_side(binding), pair.source_approver)
    settle()
    page = sign_in(pair.target_admin).get(address(binding.connection)).content.decode()

    assert pair.source_approver.user.name in page
    assert "Waiting for approval here" in page
    assert Binding.objects.count() == 2
