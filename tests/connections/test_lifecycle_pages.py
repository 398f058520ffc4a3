import json
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.urls import reverse

from connections.constants import BindingState, ConnectionState, Verdict
from connections.models import Connection
from connections.services import deleting, switching
from connections.services.handshake import parting, withdrawing
from connections.views import next_step
from tests.connections.handshake import decide, fresh, record_of, settle, states, upload
from tests.connections.pages import HTMX, address, sign_in
from tests.factories.connections import make_admin, make_external, make_local, make_vault_to_vault
from tests.factories.people import make_member
from vaultadmin import audit, clock
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission
from vaultadmin.together import answer, known

pytestmark = pytest.mark.django_db


@pytest.fixture
def target(pair):
    return upload(pair.file(named=True), pair.target_admin).connection


@pytest.fixture
def browser(pair):
    return sign_in(pair.target_admin)


def page(browser, connection, name="record"):
    return " ".join(browser.get(address(connection, name)).content.decode().split())


def entries(browser, connection):
    return {entry["label"]: entry["disabled_reason"] for entry in browser.get(address(connection)).context["actions"]}


def test_reset_dialog_says_what_happens_and_what_the_peer_sees(pair, target, browser):
    dialog = page(browser, target, "reset")

    assert "Reset Connection" in dialog
    assert f"Vault {pair.source.pk}" in dialog
    assert "The other Vault is not told. Its record stays Active" in dialog
    assert "Continue" in dialog


def test_reset_is_done_from_the_dialog(target, browser):
    answer = browser.post(address(target, "reset"), {"reason": "New sandbox"}, headers=HTMX)

    assert answer.status_code == 204
    assert "connection:changed" in json.loads(answer["HX-Trigger"])
    assert states(target) == ["Pending"]
    assert audit.history(target).first().reason == "New sandbox"


def test_reset_record_shows_remote_vault_id_and_download_as_the_next_step(target, browser):
    browser.post(address(target, "reset"))

    step = browser.get(address(target)).context["next_step"]

    assert (step.label, step.edit_label) == ("Download Connection File", "Enter Remote Vault ID")
    assert "was ended by" in step.happened
    assert step.comment == parting.RESET
    assert "enter the Remote Vault ID" in step.text


def test_delete_of_an_established_record_names_the_peer_and_leads_to_the_list(pair, target, browser):
    dialog = page(browser, target, "delete")
    assert pair.source.name in dialog
    assert "becomes Disconnected, and the Connection Stats of both sides are deleted" in dialog
    assert "cannot be undone" in dialog

    answer = browser.post(address(target, "delete"), {"reason": ""}, headers=HTMX)

    assert answer["HX-Redirect"] == reverse("connections:list", args=[target.vault_id])
    assert not Connection.objects.filter(pk=target.pk).exists()
    assert f"{target.name} was deleted." in page(browser, make_local(pair.target_admin))


def test_delete_without_script_leads_to_the_list(target, browser):
    answer = browser.post(address(target, "delete"))

    assert answer["Location"] == reverse("connections:list", args=[target.vault_id])


@pytest.mark.parametrize("name", ["delete", "reset"])
def test_ending_trust_takes_fresh_credentials(pair, target, name, browser):
    session = browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": clock.now().timestamp() - 301}]
    session.save()

    answer = browser.post(address(target, name))

    assert answer["Location"].startswith("/accounts/")
    assert states(target) == ["Active"]


def test_delete_is_shown_disabled_while_something_uses_the_record(target, browser, monkeypatch):
    monkeypatch.setattr(deleting, "blockers", [lambda _: known("Referenced by the queue “rtsm_out”.")])

    assert entries(browser, target)["Delete"] == "Referenced by the queue “rtsm_out”."
    answer = browser.post(address(target, "delete"))

    assert answer.status_code == 409
    assert "rtsm_out" in answer.content.decode()
    assert states(target) == ["Active"]


def test_delete_is_shown_disabled_for_standard_connections(target, browser):
    Connection.objects.filter(pk=target.pk).update(system_managed=True)

    assert "system-managed" in entries(browser, target)["Delete"]


def test_delete_is_for_those_who_may(pair, target):
    reader = sign_in(make_member(pair.target, Permission.CONNECTION_READ))

    assert "Needs" in entries(reader, target)["Delete"]
    assert reader.post(address(target, "delete")).status_code == 403


@pytest.mark.parametrize("make", [make_local, make_external])
def test_connection_is_switched_off_and_on_from_its_page(pair, browser, make):
    connection = make(pair.target_admin)
    assert "no longer used" in page(browser, connection, "inactivate")

    browser.post(address(connection, "inactivate"), headers=HTMX)
    assert states(connection) == ["Inactive"]
    step = browser.get(address(connection)).context["next_step"]
    browser.post(step.url, headers=HTMX)

    assert step.label == "Activate"
    assert states(connection) == ["Active"]
    assert "Inactivate" in entries(browser, connection)


def test_connection_without_its_url_shows_the_way_to_enter_it(pair, browser):
    connection = make_external(pair.target_admin)
    Connection.objects.filter(pk=connection.pk).update(state=ConnectionState.INACTIVE, url="", url_removed=True)

    step = browser.get(address(connection)).context["next_step"]

    assert (step.label, step.edit_label) == ("", "Enter the URL")
    assert "enter the URL" in entries(browser, connection)["Activate"]
    assert browser.post(address(connection, "activate")).status_code == 409


def test_disconnected_record_says_why_and_how_it_goes_on(pair, target, browser):
    source = Connection.objects.get(vault=pair.source)
    deleting.delete(connection=source, by=pair.source_admin, now=clock.now(), reason="Study closed")
    settle()

    step = browser.get(address(target)).context["next_step"]

    assert pair.source_admin.user.name in step.happened
    assert step.comment == "The other Vault deleted its connection record. Study closed"
    assert "delete this record" in step.text
    assert step.label == "Download Connection File"


def test_disconnected_record_becomes_pending_with_its_new_file(pair, target, browser):
    source = Connection.objects.get(vault=pair.source)
    deleting.delete(connection=source, by=pair.source_admin, now=clock.now())
    settle()

    browser.post(address(target, "download"), {"file_id": str(uuid4())})

    assert states(target) == ["Pending"]
    assert "A connection file is out" in page(browser, target)


def test_record_that_moved_on_while_it_was_read_says_nothing_wrong(pair, target):
    Connection.objects.filter(pk=target.pk).update(state=ConnectionState.PENDING)
    as_read_before = record_of(fresh(target))

    assert answer(next_step.of(as_read_before, pair.target_admin)) == next_step.NextStep()


def test_record_of_a_rejected_upload_says_who_rejected_it_and_why(pair, browser):
    binding = upload(pair.file(), pair.target_admin)
    decide(binding, pair.target_approver, Verdict.REJECT, comment="Wrong study")
    settle()

    step = browser.get(address(binding.connection)).context["next_step"]

    assert step.happened == f"The request was rejected here by {pair.target_approver.user.name}"
    assert step.comment == "Wrong study"
    assert step.at == fresh(binding).ended_at
    assert "new connection file" in step.text
    assert "Wrong study" in page(browser, binding.connection)


def test_record_of_a_withdrawn_upload_says_who_withdrew_it(pair, browser):
    binding = upload(pair.file(), pair.target_admin)
    withdrawing.withdraw(binding=binding, by=pair.target_admin, now=clock.now())

    step = browser.get(address(binding.connection)).context["next_step"]

    assert step.happened.endswith(f"was withdrawn by {pair.target_admin.user.name}")
    assert step.comment == ""


def test_request_of_somebody_who_left_is_withdrawn_with_a_reason(pair):
    binding = upload(pair.file(), pair.target_admin)
    Membership.objects.filter(pk=pair.target_admin.pk).update(is_active=False)
    browser = sign_in(make_admin(pair.target))

    refused = browser.post(address(binding.connection, "withdraw"), {"reason": ""}, headers=HTMX)
    taken = browser.post(address(binding.connection, "withdraw"), {"reason": "They left"}, headers=HTMX)

    assert refused.status_code == 422
    assert taken.status_code == 204
    assert fresh(binding).state == BindingState.WITHDRAWN


def test_status_of_a_pending_record_is_told_from_its_lifecycle_state(pair, browser):
    assert "travel once its Lifecycle State is Active" in page(browser, make_vault_to_vault(pair.target_admin))
    assert "travel once its Lifecycle State" not in page(browser, make_local(pair.target_admin))


def test_remote_details_of_an_established_record_say_where_they_come_from(pair, target, browser):
    assert "Filled in when the connection was established" in page(browser, target)

    switching.inactivate(connection=target, by=pair.target_admin, now=clock.now())

    assert "They are filled in when" not in page(browser, target)


def test_proving_who_one_is_leads_back_to_the_page_with_its_dialog(target, browser):
    session = browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": clock.now().timestamp() - 301}]
    session.save()
    headers = HTMX | {
        "HX-Target": "div#dialog-body",
        "HX-Current-URL": f"http://testserver{address(target)}?tab=1&dialog=%2Fold%2F",
    }

    answer = browser.get(address(target, "delete"), headers=headers)

    back = parse_qs(urlsplit(answer["HX-Redirect"]).query)["next"][0]
    assert urlsplit(back).path == address(target)
    assert parse_qs(urlsplit(back).query) == {"tab": ["1"], "dialog": [address(target, "delete")]}


@pytest.mark.parametrize(
    "path", ["/v/1/", "https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)", "x"]
)
def test_address_opens_only_dialogs_of_its_own_vault(target, browser, path):
    answer = browser.get(address(target), {"dialog": path})

    assert answer.context["open_dialog"] == ""


def test_address_opens_the_dialog_it_asks_for(target, browser):
    answer = browser.get(address(target), {"dialog": address(target, "reset")})

    assert f'hx-get="{address(target, "reset")}"' in answer.content.decode()
