import re

import pytest

from connections.services import editing
from tests.connections.handshake import fresh
from tests.connections.pages import HTMX, address, create_url, hidden_fields, sign_in
from tests.factories.connections import (
    SECRET,
    make_admin,
    make_authorization,
    make_external,
    make_local,
    make_vault_to_vault,
)
from tests.factories.people import make_member
from vaultadmin import clock
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db


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


def test_what_was_done_is_told_by_the_next_page_not_by_a_part_fetched_meanwhile(admin, browser):
    connection = make_local(admin, name="Inner")
    edit(browser, connection, description="Why")

    part = browser.get(address(connection), headers=HTMX).content.decode()
    whole = browser.get(address(connection)).content.decode()

    assert "Inner was saved." not in part
    assert "Inner was saved." in whole


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


def test_reader_sees_pages_but_no_way_to_change_them(admin):
    connection = make_vault_to_vault(admin)
    browser = sign_in(make_member(admin.vault, Permission.CONNECTION_READ))

    page = browser.get(address(connection)).content.decode()

    assert "Edit Details" not in page
    assert "Needs “Application: Manage Connections”" in page
    assert browser.get(address(connection, "edit-details")).status_code == 403
    assert browser.get(address(connection, "download")).status_code == 403
    assert browser.get(create_url(admin)).status_code == 403


@pytest.mark.parametrize("make", [make_vault_to_vault, make_external])
def test_change_fetches_the_page_once_for_all_sections(admin, browser, make):
    page = browser.get(address(make(admin))).content.decode()

    main = page[page.index("<main") :]
    (named,) = re.findall(r'hx-select-oob="([^"]*)"', main)
    listed = re.findall(r'href="#([a-z-]+)"', main[main.index('aria-label="Sections"') :].partition("</nav>")[0])

    assert main.count("connection:changed") == 1
    assert set(named.split(",")) == {f"#{section}" for section in listed} | {"#holds"}
