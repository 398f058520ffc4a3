import json
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections.constants import BindingState, ConnectionState, ConnectionType
from connections.home import connections as home
from connections.models import Binding, Connection, ConnectionAuthorization, IssuedFile
from connections.selectors import connections as selectors
from connections.services import editing, exchange
from tests.connections.handshake import decide, fresh, other_side, settle, states, upload
from tests.connections.pages import HTMX, hidden_fields, sign_in
from tests.factories.connections import (
    SECRET,
    make_admin,
    make_authorization,
    make_external,
    make_local,
    make_vault_to_vault,
)
from tests.factories.people import PASSWORD, make_member
from vaultadmin import clock, secrets
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(admin):
    return sign_in(admin)


def address(connection, name="record"):
    return reverse(f"connections:{name}", args=[connection.vault_id, connection.api_name])


def create_url(member):
    return reverse("connections:create", args=[member.vault_id])


DETAILS = {
    ConnectionType.VAULT_TO_VAULT: {"remote_vault_id": "4711", "remote_vault_name": "Far"},
    ConnectionType.EXTERNAL: {"url": "https://rtsm.example.com/${Vault.id}"},
    ConnectionType.LOCAL: {},
}


def walk(browser, page, type_, /, **details):
    """Go through the wizard the way a browser without JavaScript does; the last answer."""
    answer = browser.post(page, {"connection_type": type_, "step": "type", "go": "continue"})
    fields = hidden_fields(answer.content.decode())
    answer = browser.post(page, fields | {"go": "continue", "name": "Link", "api_name": "link"} | details)
    if answer.status_code != 200:
        return answer
    return browser.post(page, hidden_fields(answer.content.decode()) | {"go": "save"})


@pytest.mark.parametrize("type_", list(ConnectionType))
def test_wizard_creates_each_type_and_goes_to_the_record(admin, browser, type_):
    answer = walk(browser, create_url(admin), type_, **DETAILS[type_])

    connection = Connection.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, address(connection))
    assert connection.type == type_
    assert browser.get(answer["Location"]).status_code == 200


def test_wizard_first_step_shows_three_cards(admin, browser):
    page = browser.get(create_url(admin)).content.decode()

    assert page.count('name="connection_type"') == 3
    for label in ("Vault to Vault", "External", "Local", "Connection Type", "Continue"):
        assert label in page


def test_wizard_without_a_type_asks_for_one(admin, browser):
    answer = browser.post(create_url(admin), {"step": "type", "go": "continue"})

    assert answer.status_code == 422
    assert b"Choose a Connection Type." in answer.content


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "This field is required."),
        ("api_name", "", "This field is required."),
        ("api_name", "Not-Right", "lowercase letters, digits, and underscores"),
        ("api_name", "create", "reserved"),
        ("remote_vault_id", "abc", "whole number"),
        ("remote_vault_id", "0", "above 0"),
        ("authorized_user", "999999", "Select a valid choice"),
    ],
)
def test_wizard_says_what_is_wrong_and_keeps_what_was_typed(admin, browser, field, value, sentence):
    answer = walk(browser, create_url(admin), ConnectionType.VAULT_TO_VAULT, description="Kept", **{field: value})

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert "Kept" in answer.content.decode()
    assert not Connection.objects.exists()


@pytest.mark.parametrize("url", ["http://example.com/", "https://example.com:8443/", "https://10.0.0.1/"])
def test_wizard_refuses_urls_that_break_the_rule(admin, browser, url):
    answer = walk(browser, create_url(admin), ConnectionType.EXTERNAL, url=url)

    assert answer.status_code == 422


def test_wizard_refuses_a_taken_api_name_before_the_review(admin, browser):
    make_local(admin, api_name="link")

    answer = walk(browser, create_url(admin), ConnectionType.LOCAL)

    assert answer.status_code == 422
    assert "choose another one" in answer.content.decode()


def test_wizard_saved_twice_makes_one_record(admin, browser):
    url = create_url(admin)
    fields = {
        "connection_type": ConnectionType.LOCAL.value,
        "step": "review",
        "go": "save",
        "key": str(uuid4()),
        "name": "Link",
        "api_name": "link",
    }

    first, second = browser.post(url, fields), browser.post(url, fields)

    assert first["Location"] == second["Location"]
    assert Connection.objects.count() == 1


def test_wizard_back_and_forth_keeps_what_was_typed(admin, browser):
    url = create_url(admin)
    answer = browser.post(url, {"connection_type": "local__sys", "step": "type", "go": "continue"})
    fields = hidden_fields(answer.content.decode()) | {"name": "My link", "api_name": "my_link"}

    first = browser.post(url, fields | {"go": "back"}).content.decode()
    again = browser.post(
        url, hidden_fields(first) | {"connection_type": "external__sys", "step": "type", "go": "continue"}
    ).content.decode()

    assert "My link" in again
    assert "External connection" in again
    review = browser.post(url, hidden_fields(again) | {"name": "My link", "api_name": "my_link", "go": "continue"})
    back = browser.post(url, hidden_fields(review.content.decode()) | {"go": "back"}).content.decode()
    assert 'value="my_link"' in back


def test_fields_that_are_not_offered_cannot_be_set(admin, browser):
    walk(
        browser,
        create_url(admin),
        ConnectionType.LOCAL,
        state="pending_state__sys",
        system_managed="on",
        url="https://x.example.com/",
        vault="1",
        file_generation="9",
    )

    connection = Connection.objects.get()
    assert (connection.state, connection.system_managed, connection.url) == (ConnectionState.ACTIVE, False, "")
    assert connection.vault_id == admin.vault_id


def test_list_searches_filters_and_sorts_from_its_address(admin, browser):
    make_local(admin, name="Alpha", api_name="alpha")
    make_external(admin, name="Beta", api_name="beta")
    make_vault_to_vault(admin, name="Gamma", api_name="gamma", remote_vault_id=4711)
    url = reverse("connections:list", args=[admin.vault_id])

    def names(query):
        page = browser.get(url + query).content.decode()
        return [name for name in ("Alpha", "Beta", "Gamma") if f">{name}</a>" in page]

    assert names("") == ["Alpha", "Beta", "Gamma"]
    assert names("?q=alp") == ["Alpha"]
    assert names("?q=4711") == ["Gamma"]
    assert names("?type=external__sys") == ["Beta"]
    assert names("?state=pending_state__sys") == ["Gamma"]
    assert names("?state=nonsense&type=nonsense&after=x&sort=nonsense") == ["Alpha", "Beta", "Gamma"]
    page = browser.get(url + "?sort=-name").content.decode()
    assert page.index(">Gamma</a>") < page.index(">Alpha</a>")


def test_list_finds_a_record_by_its_id(admin, browser):
    connection = make_local(admin, name="Alpha")
    make_local(admin, name="Beta")

    page = browser.get(reverse("connections:list", args=[admin.vault_id]) + f"?q={connection.record_id}").content

    assert b">Alpha</a>" in page
    assert b">Beta</a>" not in page


def test_list_sorts_names_as_people_do(admin, browser):
    for name in ("Zeta", "eCOA", "EDC"):
        make_local(admin, name=name)

    rows = browser.get(reverse("connections:list", args=[admin.vault_id])).context["rows"]

    assert [connection.name for connection, _ in rows] == ["eCOA", "EDC", "Zeta"]


def test_list_pages_by_key(admin, browser, monkeypatch):
    monkeypatch.setattr(selectors, "PAGE", 2)
    for number in range(5):
        make_local(admin, name="Same", api_name=f"same_{number}")
    seen, url = [], reverse("connections:list", args=[admin.vault_id])

    while url:
        context = browser.get(url).context
        seen += [connection.api_name for connection, _ in context["rows"]]
        url = context["older_url"]

    assert seen == [f"same_{number}" for number in range(5)]


def test_list_takes_the_same_queries_at_any_size(admin, browser):
    url = reverse("connections:list", args=[admin.vault_id])
    make_local(admin)
    browser.get(url)
    with CaptureQueriesContext(database) as few:
        browser.get(url)
    for _ in range(20):
        make_external(admin, authorization=make_authorization(admin), authorized_user=admin)

    with CaptureQueriesContext(database) as many:
        browser.get(url)

    assert len(many) == len(few)


def test_empty_list_offers_the_three_types(admin, browser):
    page = browser.get(reverse("connections:list", args=[admin.vault_id])).content.decode()

    assert "No connections yet" in page
    for type_ in ConnectionType.values:
        assert f"?type={type_}" in page


def test_foreign_records_look_like_missing_ones(admin, browser):
    foreign = make_local(make_admin(), api_name="theirs")
    mine = f"/v/{admin.vault_id}/admin/connections/theirs/"

    for path in (
        "",
        "changed/",
        "edit/details/",
        "download/",
        "connect-from-file/",
        "complete/",
        "withdraw/",
        "revoke/",
        "reset/",
        "delete/",
        "inactivate/",
        "activate/",
    ):
        assert browser.get(mine + path).status_code == 404
    assert browser.get(address(foreign)).status_code == 404


def test_old_api_name_leads_to_the_record(admin, browser, now):
    connection = make_local(admin, api_name="old")
    editing.edit(connection=connection, changes={"api_name": "new"}, by=admin, now=now)

    answer = browser.get(f"/v/{admin.vault_id}/admin/connections/old/")

    assert answer["Location"] == f"/v/{admin.vault_id}/admin/connections/new/"


@pytest.mark.parametrize("make", [make_vault_to_vault, make_external, make_local])
def test_record_shows_its_sections(admin, browser, make):
    connection = make(admin, description="<script>alert(1)</script>")

    page = browser.get(address(connection)).content.decode()

    for title in ("Details", "Workflow Timeline", "Audit", "Actions"):
        assert title in page
    assert ("Remote Vault Details" in page) == connection.is_vault_to_vault
    assert "<script>alert" not in page


def test_unavailable_actions_are_shown_with_their_reason(admin, browser):
    page = browser.get(address(make_local(admin))).content.decode()

    assert "Only Vault to Vault connections have a connection file." in page


def edit(browser, connection, section="details", **changes):
    url = address(connection, f"edit-{section}")
    form = browser.get(url).content.decode()
    fields = hidden_fields(form) | {"name": connection.name, "api_name": connection.api_name}
    return browser.post(url, fields | changes)


def test_section_is_edited_in_place(admin, browser):
    connection = make_vault_to_vault(admin)

    answer = edit(browser, connection, name="Renamed", remote_vault_id="4711", description="Why")

    assert answer.status_code == 302
    connection = fresh(connection)
    assert (connection.name, connection.remote_vault_id, connection.description) == ("Renamed", 4711, "Why")
    assert browser.get(address(connection, "edit-details"), headers=HTMX).status_code == 200


def test_remote_details_are_edited_apart(admin, browser):
    connection = make_vault_to_vault(admin)

    edit(browser, connection, "remote", remote_vault_name="Far away")

    assert fresh(connection).remote_vault_name == "Far away"
    assert fresh(connection).name == connection.name


def test_changing_the_api_name_warns_first(admin, browser):
    connection = make_local(admin, api_name="before")

    warned = edit(browser, connection, api_name="after")

    assert warned.status_code == 422
    assert "may break existing integrations" in warned.content.decode()
    assert fresh(connection).api_name == "before"
    again = browser.post(
        address(connection, "edit-details"),
        hidden_fields(warned.content.decode()) | {"name": connection.name, "api_name": "after"},
    )
    assert again["Location"] == f"/v/{admin.vault_id}/admin/connections/after/"


def test_url_to_another_host_asks_for_the_secret(admin, browser):
    connection = make_external(admin, authorization=make_authorization(admin))
    moved = {"url": "https://new.example.net/", "authorization": str(connection.authorization_id)}

    refused = edit(browser, connection, **moved)

    assert refused.status_code == 422
    assert "again" in refused.content.decode()
    assert edit(browser, connection, **moved, secret=SECRET).status_code == 302


def test_stale_form_does_not_overwrite(admin, browser):
    connection = make_local(admin)
    fields = hidden_fields(browser.get(address(connection, "edit-details")).content.decode())
    editing.edit(connection=connection, changes={"name": "Theirs"}, by=admin, now=clock.now())

    answer = browser.post(
        address(connection, "edit-details"), fields | {"name": "Mine", "api_name": connection.api_name}
    )

    assert answer.status_code == 422
    assert fresh(connection).name == "Theirs"


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


AUTHORIZATION_FIELDS = {
    "basic_auth__sys": ("User Name", "Password"),
    "client_credentials__sys": ("Client ID", "Client Secret"),
}


@pytest.mark.parametrize("type_", AUTHORIZATION_FIELDS)
def test_authorization_is_created_and_its_secret_never_shown(admin, browser, type_):
    url = reverse("connections:authorization-create", args=[admin.vault_id]) + f"?type={type_}"
    page = browser.get(url).content.decode()
    for label in AUTHORIZATION_FIELDS[type_]:
        assert label in page

    answer = browser.post(url, hidden_fields(page) | {"name": "RTSM", "identity": "me", "secret": SECRET})

    made = ConnectionAuthorization.objects.get()
    assert made.type == type_
    for path in (
        answer["Location"],
        f"{answer['Location']}edit/",
        reverse("connections:authorizations", args=[admin.vault_id]),
    ):
        page = browser.get(path)
        assert page.status_code == 200
        assert SECRET not in page.content.decode()


def test_refused_authorization_form_does_not_echo_the_secret(admin, browser):
    url = reverse("connections:authorization-create", args=[admin.vault_id]) + "?type=basic_auth__sys"

    answer = browser.post(url, {"name": "", "identity": "me", "secret": SECRET, "key": str(uuid4())})

    assert answer.status_code == 422
    assert SECRET not in answer.content.decode()


def test_authorization_page_lists_what_uses_it(admin, browser):
    connection = make_external(admin, name="Uses it", authorization=make_authorization(admin))

    page = browser.get(reverse("connections:authorization", args=[admin.vault_id, connection.authorization_id]))

    assert "Uses it" in page.content.decode()


def test_foreign_authorization_looks_like_a_missing_one(admin, browser):
    foreign = make_authorization(make_admin())

    for name in ("authorization", "authorization-edit"):
        assert browser.get(reverse(f"connections:{name}", args=[admin.vault_id, foreign.pk])).status_code == 404


def test_edit_with_an_empty_secret_keeps_it(admin, browser):
    authorization = make_authorization(admin)
    url = reverse("connections:authorization-edit", args=[admin.vault_id, authorization.pk])

    browser.post(
        url,
        hidden_fields(browser.get(url).content.decode())
        | {"name": "New", "identity": "other", "status": authorization.status},
    )

    authorization = fresh(authorization)
    assert (authorization.name, authorization.client_id) == ("New", "other")
    assert secrets.reveal(authorization.secret) == SECRET


def test_reader_sees_pages_but_no_way_to_change_them(admin):
    connection = make_vault_to_vault(admin)
    browser = sign_in(make_member(admin.vault, Permission.CONNECTION_READ))

    page = browser.get(address(connection)).content.decode()

    assert "Edit Details" not in page
    assert "Needs “Application: Manage Connections”" in page
    assert browser.get(address(connection, "edit-details")).status_code == 403
    assert browser.get(address(connection, "download")).status_code == 403
    assert browser.get(create_url(admin)).status_code == 403


def test_home_tile_and_palette_know_connections(admin):
    make_vault_to_vault(admin, name="Unfinished")
    reader = make_member(admin.vault)

    assert home.cards(admin)[0].sentence == "1 not established yet"
    assert [hit.label for hit in home.hits(admin, "unfin")] == ["Unfinished"]
    assert home.cards(reader) == []
    assert home.hits(reader, "unfin") == []
