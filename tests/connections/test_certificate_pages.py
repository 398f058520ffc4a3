import sys
from contextlib import contextmanager

import pytest
from django.urls import reverse

from connections.home import certificates as home_certificates
from connections.models import Connection
from connections.services.refusals import Refused
from connections.services.signing import choosing, renewing
from tests.connections import rollovers
from tests.connections.handshake import fresh
from tests.connections.pages import HTMX, sign_in
from tests.connections.rollovers import at, certificate, days, established, signs_with, tick
from tests.factories.connections import (
    make_authorization,
    make_certificate,
    make_external,
    make_local,
    make_vault_to_vault,
)
from tests.factories.people import make_member, make_vault
from vaultadmin import audit, clock
from vaultadmin.models import Vault
from vaultadmin.permissions import Permission
from vaultadmin.services import tokens
from vaultadmin.together import answer

pytestmark = pytest.mark.django_db
BY = audit.System("Test")
READER = (Permission.CONNECTION_READ,)


@pytest.fixture(autouse=True)
def shared_keys(monkeypatch):
    rollovers.use_shared_keys(monkeypatch)


@pytest.fixture
def rolling(admin):
    """A connection of the administrator while both certificates are supported."""
    record = make_external(admin)
    renewing.begin(by=BY, now=clock.now())
    renewing.settle(by=BY, now=clock.now())
    return record


def url(record, name="signing-certificate"):
    return reverse(f"connections:{name}", args=[record.vault_id, record.api_name])


def of_certificate(vault, name, certificate_id="00001"):
    return reverse(f"connections:{name}", args=[vault.pk, certificate_id])


def test_one_certificate_can_only_be_read_and_downloaded(admin):
    record = make_local(admin)

    page = sign_in(admin).get(url(record)).content.decode()

    assert "00001" in page
    assert "Current" in page
    assert "disabled" in page
    assert ">Save<" not in page
    assert of_certificate(admin.vault, "certificate-download") in page


def test_two_certificates_are_shown_with_all_that_tells_them_apart(admin, rolling):
    page = sign_in(admin).get(url(rolling), headers=HTMX).content.decode()

    for number, word in (("00002", "New"), ("00001", "Previous")):
        assert word in page
        assert certificate(number).fingerprint in page
        assert (
            f"Valid from {certificate(number).not_before:%d %b %Y} until {certificate(number).not_after:%d %b %Y}"
            in page
        )
        assert of_certificate(admin.vault, "certificate-download", number) in page
    assert page.count("checked") == 1
    assert ">Save<" in page


def test_saved_choice_signs_from_now_on_and_is_in_the_trail(admin, rolling):
    answer = sign_in(admin).post(url(rolling), {"certificate": "00001"})

    assert answer.status_code == 302
    assert signs_with(rolling) == "00001"
    row = audit.history(rolling).get(event="connection.certificate_chosen")
    assert row.changes == {"Signing Certificate": ["Signing certificate 00002", "Signing certificate 00001"]}


def test_choice_is_kept_through_the_rollover_and_ends_with_it(admin, rolling):
    choosing.choose(connection=rolling, certificate_id="00001", by=admin, now=clock.now())
    tick(clock.now() + days(1))
    assert signs_with(rolling) == "00001"

    tick(certificate("00002").final_at)

    assert signs_with(rolling) == "00002"


@pytest.mark.parametrize("ticked", [[], ["00001", "00002"]])
def test_anything_but_one_ticked_box_is_refused(admin, rolling, ticked):
    answer = sign_in(admin).post(url(rolling), {"certificate": ticked}, headers=HTMX)

    assert answer.status_code == 422
    assert "Select the one certificate" in answer.content.decode()
    assert signs_with(rolling) == "00002"


@pytest.mark.parametrize("chosen", ["00003", "x" * 5000, "../.."])
def test_certificate_that_is_not_offered_is_refused(admin, rolling, chosen):
    answer = sign_in(admin).post(url(rolling), {"certificate": chosen})

    assert answer.status_code == 422
    assert "no longer available" in answer.content.decode()


def test_nothing_can_be_chosen_while_there_is_one(admin):
    record = make_local(admin)

    with pytest.raises(Refused, match="Only one"):
        choosing.choose(connection=record, certificate_id="00001", by=admin, now=clock.now())


def test_choosing_what_is_in_use_writes_nothing(admin, rolling):
    before = fresh(rolling).modified_at

    choosing.choose(connection=rolling, certificate_id="00002", by=admin, now=clock.now())

    assert fresh(rolling).modified_at == before
    assert not audit.history(rolling).filter(event="connection.certificate_chosen").exists()


@pytest.mark.parametrize(("sandbox", "offered"), [(False, ["00001"]), (True, ["00002", "00001"])])
def test_test_period_is_for_sandboxes(admin, sandbox, offered):
    Vault.objects.filter(pk=admin.vault_id).update(is_sandbox=sandbox)
    record = make_local(admin)
    renewing.publish(by=BY, now=clock.now())
    tick(clock.now())
    found = Connection.objects.select_related("vault").get(pk=record.pk)

    assert [choice.certificate.certificate_id for choice in choosing.choices(found)] == offered
    if sandbox:
        choosing.choose(connection=found, certificate_id="00002", by=admin, now=clock.now())
        tick(clock.now() + days(1))
        assert signs_with(record) == "00002"


def test_choice_of_somebody_elses_connection_does_not_exist(rolling, certificate):
    stranger = make_member(make_vault(), Permission.MANAGE_CONNECTIONS)

    with pytest.raises(Connection.DoesNotExist):
        choosing.choose(connection=rolling, certificate_id="00001", by=stranger, now=clock.now())


def test_dialog_says_while_the_other_vault_has_not_confirmed(pair):
    source, _target = established(pair)
    renewing.begin(by=BY, now=clock.now())
    renewing.settle(by=BY, now=clock.now())

    page = sign_in(pair.source_admin).get(url(source)).content.decode()

    assert "has not confirmed certificate 00002" in page


def test_action_is_in_the_menu_of_every_type_of_connection(admin):
    for record in (make_local(admin), make_external(admin), make_vault_to_vault(admin)):
        page = sign_in(admin).get(url(record, "record")).content.decode()

        assert "Manage Signing Certificate" in page
        assert url(record) in page


def test_list_and_page_show_stages_and_uses(admin, rolling):
    reader = sign_in(make_member(admin.vault, *READER))

    listed = reader.get(reverse("connections:certificates", args=[admin.vault_id])).content.decode()
    shown = reader.get(of_certificate(admin.vault, "certificate", "00002")).content.decode()

    assert "Rollover: connections sign with certificate" in listed
    assert rolling.name in shown
    for stage in ("Published", "Test", "Rollover", "Active"):
        assert stage in shown


def test_page_of_a_certificate_names_only_connections_of_its_vault(admin, rolling):
    other = make_member(make_vault(), *READER)

    page = sign_in(other).get(of_certificate(other.vault, "certificate", "00002")).content.decode()

    assert rolling.name not in page
    assert "No connection of this Vault" in page


def test_unknown_certificate_is_not_found(admin):
    assert sign_in(admin).get(of_certificate(admin.vault, "certificate", "00009")).status_code == 404


def test_download_is_the_pem(admin):
    answer = sign_in(admin).get(of_certificate(admin.vault, "certificate-download"))

    assert answer["Content-Type"] == "application/x-pem-file"
    assert answer["Content-Disposition"] == 'attachment; filename="signing-certificate-00001.pem"'
    assert answer.content.decode() == certificate("00001").pem


def test_record_shows_the_certificates_of_its_peer(pair):
    source, _target = established(pair)
    renewing.publish(by=BY, now=clock.now())
    tick(clock.now())

    page = sign_in(pair.source_admin).get(url(source, "record")).content.decode()

    assert "Certificates of the other Vault" in page
    assert certificate("00001").fingerprint in page
    assert certificate("00002").fingerprint in page


def test_home_says_what_will_happen_ahead(pair):
    established(pair)
    ends = certificate("00001").not_after
    tick(ends - days(90))

    with at(ends - days(89)):
        notice = answer(home_certificates.notices(pair.source_admin))[0]
        card = answer(home_certificates.cards(pair.source_admin))[0]

    day = f"{ends - days(31):%d %b %Y}"
    assert f"00001 changes to 00002 on {day}: 1 connection of this Vault" in notice.text
    assert f"Changes to 00002 on {day}; 1 connection will move." in card.sentence


def test_home_page_shows_the_notice(admin, rolling):
    page = sign_in(admin).get(reverse("vault:home", args=[admin.vault_id])).content.decode()

    assert "Connections sign with certificate 00002 now." in page
    assert "Signing certificate" in page


def test_nobody_without_connections_is_told_about_certificates(admin, rolling):
    auditor = make_member(admin.vault, Permission.ADMIN_AUDIT)

    assert answer(home_certificates.notices(auditor)) == []
    assert answer(home_certificates.cards(auditor)) == []


def test_credentials_to_renew_are_on_the_home_page_and_listed(pair):
    admin = make_member(pair.source, Permission.MANAGE_CONNECTIONS, Permission.ADMIN_USERS, Permission.API_ACCESS)
    make_authorization(admin, name="Old secret")
    later = clock.now() + days(366)
    with at(later):
        pair.file()
        tokens.create_token(member=admin, name="Nightly", scopes=[], by=admin, now=later, days=10)
    with at(later + days(2.5)):
        card = answer(home_certificates.cards(admin))[1]
        listed = sign_in(admin).get(reverse("connections:certificates", args=[admin.vault_id])).content.decode()

    assert (card.title, card.figure) == ("Credentials to renew", "3")
    for words in ("Old secret", "Nightly of", "Connection file"):
        assert words in listed


PUBLIC = ["/api/v25.1/services/certificate/{}", "/v/{vault}/api/v25.1/services/certificate/{}"]


def fetch(client, template, certificate_id, vault, **headers):
    path = template.replace("{vault}", str(vault.pk)).replace("{}", certificate_id)
    return client.get(path, headers={"Host": vault.dns} | headers)


@pytest.fixture
def public_vault(admin, settings):
    settings.ALLOWED_HOSTS = ["*"]
    return admin.vault


@pytest.mark.parametrize("template", PUBLIC)
def test_everybody_gets_the_pem(client, public_vault, template):
    answer = fetch(client, template, "00001", public_vault)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/x-pem-file"
    assert answer.content.decode() == certificate("00001").pem


def test_session_header_is_accepted_too(client, public_vault):
    answer = fetch(client, PUBLIC[1], "00001", public_vault, Authorization="any-session")

    assert answer.content.decode() == certificate("00001").pem


def test_retired_certificate_stays_available(client, public_vault):
    renewing.replace_compromised(by=BY, now=clock.now())

    assert fetch(client, PUBLIC[1], "00001", public_vault).content.startswith(b"-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize("template", PUBLIC)
@pytest.mark.parametrize(
    "certificate_id",
    [
        "00009",
        "1",
        "000001",
        "0000\u0661",
        "abcde",
        "%2e%2e",
        "00001%00",
        "00001%0a",
        "+0001",
        "..%2f..%2fetc%2fpasswd",
    ],
)
def test_unknown_id_is_invalid_data(client, public_vault, template, certificate_id):
    answer = fetch(client, template, certificate_id, public_vault)

    assert answer.status_code == 200
    body = answer.json()
    assert body["responseStatus"] == "FAILURE"
    assert body["errors"][0]["type"] in {"INVALID_DATA", "MALFORMED_URL"}


@contextmanager
def files_opened():
    opened, watching = [], [True]

    def hook(event, arguments):
        if watching[0] and event in {"open", "os.listdir", "os.scandir", "socket.connect"}:
            opened.append((event, arguments[0]))

    sys.addaudithook(hook)
    try:
        yield opened
    finally:
        watching[0] = False


def test_certificates_are_looked_up_in_the_table_alone(client, public_vault):
    fetch(client, PUBLIC[1], "00001", public_vault)

    with files_opened() as opened:
        for certificate_id in ("00001", "00009", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd"):
            fetch(client, PUBLIC[1], certificate_id, public_vault)

    assert opened == []
    assert make_certificate().certificate_id == "00001"
