from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction

from connections.models import Connection
from connections.services import clients, editing, integrations, lookups
from tests.factories.connections import make_admin, make_certificate, make_external, make_vault_to_vault
from tests.factories.people import make_member, make_vault
from tests.guards.world import signed_in
from vaultadmin import audit, clock, registries
from vaultadmin.models import VaultSettings
from vaultadmin.models.delegation import day_of
from vaultadmin.permissions import Permission
from vaultadmin.services import tokens, vault_settings
from vaultadmin.worklist import delegating

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    make_certificate()
    return make_admin(make_vault())


@pytest.fixture
def record(admin):
    connection = make_external(admin, name="Orders")
    return editing.edit(connection=connection, changes={"description": "Of the shop"}, by=admin, now=clock.now())


def address(record, more=""):
    return f"/v/{record.vault_id}/history/connection/{record.pk}/{more}"


def csv_lines(answer):
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_history_shows_every_change_with_before_and_after(admin, record):
    page = signed_in(admin.user).get(address(record)).content.decode()

    assert "Connection created" in page
    assert "Connection edited" in page
    assert "Of the shop" in page
    assert admin.user.name in page


def test_history_is_filtered_by_event_person_and_day(admin, record):
    browser = signed_in(admin.user)
    today = clock.now().date().isoformat()

    edited = browser.get(address(record, "?event=connection+edited")).content.decode()
    nobody = browser.get(address(record, "?actor=nobody")).content.decode()
    present = browser.get(address(record, f"?from={today}&to={today}")).content.decode()
    past = browser.get(address(record, "?to=2001-01-01")).content.decode()

    assert "Connection created" not in edited
    assert "Of the shop" in edited
    assert "No rows for these filters" in nobody
    assert "Connection created" in present
    assert "No rows for these filters" in past


@pytest.mark.parametrize("query", ["from=soon", "to=9999-99-99", "from=0001-01-01", "before=x", "event=%00", "to=%27"])
def test_history_survives_senseless_filters(admin, record, query):
    assert signed_in(admin.user).get(address(record, f"?{query}")).status_code == 200


def test_csv_has_one_line_for_each_changed_field(admin, record):
    lines = csv_lines(signed_in(admin.user).get(address(record, "download/")))

    edited = [line for line in lines if line["event"] == "connection.edited"]
    assert [(line["field"], line["before"], line["after"]) for line in edited] == [("Description", "", "Of the shop")]
    assert {line["field"] for line in lines if line["event"] == "connection.created"} >= {"Name", "API Name"}


def test_json_holds_the_record_and_its_rows_with_their_place_in_the_chain(admin, record):
    answer = signed_in(admin.user).get(address(record, "download/?format=json"))
    document = json.loads(answer.content)

    trail = audit.history(record)
    assert document["record"]["API Name"] == record.api_name
    assert [row["hash"] for row in document["rows"]] == [bytes(row.hash).hex() for row in trail]
    assert document["rows"][0]["changes"] == {"Description": {"before": "", "after": "Of the shop"}}
    assert answer["Content-Disposition"].startswith("attachment")


def test_download_asks_for_the_password_again(admin, record):
    admin.user.set_password("correct horse battery staple")
    admin.user.save()
    browser = signed_in(admin.user)

    with time_machine.travel(clock.now() + timedelta(minutes=6), tick=False):
        answer = browser.get(address(record, "download/"))

    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]


def test_member_who_may_not_see_the_record_does_not_find_its_history(admin, record):
    staff = make_member(admin.vault, Permission.ECOA_VIEW_SITES)

    assert signed_in(staff.user).get(address(record)).status_code == 404
    assert signed_in(staff.user).get(address(record, "download/")).status_code == 404


def test_history_outlives_the_record_for_auditors_only(admin, record):
    auditor = make_member(admin.vault, Permission.ADMIN_AUDIT)
    reader = make_member(admin.vault, Permission.CONNECTION_READ)
    pk = record.pk
    with transaction.atomic():
        audit.record(vault=admin.vault, by=admin, event="connection.deleted", subject=record)
        Connection.objects.filter(pk=pk).delete()

    page = signed_in(auditor.user).get(f"/v/{admin.vault_id}/history/connection/{pk}/")

    assert "This record was deleted" in page.content.decode()
    assert "Connection edited" in page.content.decode()
    assert signed_in(reader.user).get(f"/v/{admin.vault_id}/history/connection/{pk}/").status_code == 404


@pytest.mark.parametrize("kind", ["nothing", "connection", "user"])
@pytest.mark.parametrize("key", ["0", "x", "9" * 30, "٣", "-1"])
def test_unknown_records_have_no_history(admin, kind, key):
    assert signed_in(admin.user).get(f"/v/{admin.vault_id}/history/{kind}/{key}/").status_code == 404


def test_record_pages_lead_to_their_history(admin, record):
    page = signed_in(admin.user).get(f"/v/{record.vault_id}/admin/connections/{record.api_name}/").content.decode()

    assert address(record) in page


def test_every_kind_names_fields_its_model_has():
    for kind in registries.recorded.values():
        for name in kind.fields:
            assert kind.model._meta.get_field(name)


def test_history_of_a_connection_includes_what_belongs_to_it(admin, record):
    client = clients.add(connection=record, name="Shop", client_id="shop-1", by=admin, now=clock.now())

    whole = signed_in(admin.user).get(address(record)).content.decode()
    part = signed_in(admin.user).get(f"/v/{admin.vault_id}/history/connection-client/{client.pk}/").content.decode()

    assert "Connection client created" in whole
    assert "Connection client created" in part
    assert "Connection edited" not in part


def test_history_of_a_connection_tells_what_was_deleted_from_it(admin):
    connection = make_vault_to_vault(admin)
    now = clock.now()
    lookup = lookups.add(
        connection=connection,
        type="generic__sys",
        name="country__c",
        source_key="U.S.",
        target_key="United States",
        by=admin,
        now=now,
    )
    integration = integrations.create(
        connection=connection, name="Warranties", api_name="warranties__c", description="", by=admin, now=now
    )
    lookups.delete(lookup=lookup, by=admin)
    integrations.delete(integration=integration, by=admin)

    page = signed_in(admin.user).get(address(connection)).content.decode()

    assert "Reference lookup deleted" in page
    assert "United States" in page
    assert "Integration deleted" in page
    assert "warranties__c" in page


def test_history_of_a_certificate_is_the_same_in_every_vault(admin):
    certificate = make_certificate()
    elsewhere = make_member(make_vault(), Permission.CONNECTION_READ)

    here, there = (
        signed_in(member.user).get(f"/v/{member.vault_id}/history/signing-certificate/{certificate.pk}/")
        for member in (admin, elsewhere)
    )

    assert "Certificate issued" in here.content.decode()
    assert certificate.fingerprint in there.content.decode()
    assert f"/v/{elsewhere.vault_id}/admin/certificates/00001/" in there.content.decode()


def test_history_of_a_certificate_can_be_taken_away(admin):
    certificate = make_certificate()

    lines = csv_lines(
        signed_in(admin.user).get(f"/v/{admin.vault_id}/history/signing-certificate/{certificate.pk}/download/")
    )

    assert {line["event"] for line in lines} == {"certificate.issued"}
    assert "Fingerprint" in {line["field"] for line in lines}


def test_history_of_a_certificate_needs_to_read_connections(admin):
    certificate = make_certificate()
    auditor, staff = make_member(admin.vault, Permission.ADMIN_AUDIT), make_member(admin.vault)
    url = f"/v/{admin.vault_id}/history/signing-certificate/{certificate.pk}/"

    assert "This record was deleted" not in signed_in(auditor.user).get(url).content.decode()
    assert signed_in(staff.user).get(url).status_code == 404


def test_certificate_page_leads_to_its_history(admin):
    certificate = make_certificate()

    page = signed_in(admin.user).get(f"/v/{admin.vault_id}/admin/certificates/00001/").content.decode()

    assert f"/v/{admin.vault_id}/history/signing-certificate/{certificate.pk}/" in page


def test_history_of_a_person_tells_of_their_tokens_and_what_they_lent(admin):
    owner = make_member(admin.vault, *Permission)
    person = make_member(admin.vault, Permission.API_ACCESS, Permission.ECOA_STUDY_TEAM)
    colleague = make_member(admin.vault, Permission.ECOA_STUDY_TEAM)
    now = clock.now()
    tokens.create_token(member=person, name="Nightly", scopes=[], days=10, by=person, now=now)
    today = day_of(now)
    delegating.lend(giver=person, to=colleague, starts=today, ends=today, by=person, now=now)

    page = signed_in(owner.user).get(f"/v/{admin.vault_id}/history/user/{person.pk}/").content.decode()

    assert "API token created" in page
    assert "Delegation created" in page


def test_settings_lead_to_their_history(admin):
    owner = make_member(admin.vault, *Permission)
    values = {name: VaultSettings._meta.get_field(name).default for name in vault_settings.FIELDS}
    changed = values | {"request_days": 21}
    vault_settings.change(values=changed, reason="Holidays", by=owner, now=clock.now(), seen=None)
    browser, url = signed_in(owner.user), f"/v/{admin.vault_id}/history/settings/{admin.vault_id}/"

    assert url in browser.get(f"/v/{admin.vault_id}/admin/settings/").content.decode()
    assert "Holidays" in browser.get(url).content.decode()
    stranger = make_member(admin.vault, Permission.CONNECTION_READ)
    assert signed_in(stranger.user).get(url).status_code == 404
