import pytest
from django.core import mail
from django.urls import reverse

from connections.models import Connection, ConnectionAuthorization
from ecoa.contract.codes import Code
from ecoa.models import SetUp, StudyMapping
from ecoa.set_up import carrying
from ecoa.set_up.meanings import TABLE, meaning_of
from ecoa.sync import routing
from tests.factories.connections import make_certificate
from tests.factories.ecoa import make_manager, make_mapping
from tests.fakes import ecoa_machine
from tests.fakes.ecoa_machine import failure
from tests.guards.world import signed_in
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Secret
from vaultadmin.worklist import notices

pytestmark = pytest.mark.django_db
BASE = f"https://{ecoa_machine.HOST}/global/"
STUDY = {"name": "Real study", "external_study_id": ecoa_machine.STUDY, "site_numbers": "1005, 2001", "connection": ""}
CREDENTIALS = {
    "base_url": BASE,
    "system_id": ecoa_machine.SYSTEM,
    "secret": ecoa_machine.SECRET,
    "tenant_id": ecoa_machine.TENANT,
    "api_version": "v24.3",
}


@pytest.fixture
def manager():
    return make_manager()


@pytest.fixture
def client(manager):
    return signed_in(manager.user)


def page(manager, name, *args):
    return reverse(f"ecoa:{name}", args=[manager.vault_id, *args])


def begin(manager, client, study=STUDY, **credentials):
    client.post(page(manager, "set-up-start"), study)
    found = SetUp.objects.latest("pk")
    answer = client.post(page(manager, "set-up-credentials", found.pk), CREDENTIALS | credentials)
    assert answer.status_code == 302, answer.content.decode()
    return found


def probe(manager, client, found):
    client.post(page(manager, "set-up-test", found.pk))
    carrying.work(set_up_id=found.pk)
    return SetUp.objects.get(pk=found.pk)


def test_set_up_leads_from_the_study_to_a_mapping_that_can_send(machine, manager, client):
    make_certificate()
    found = probe(manager, client, begin(manager, client))
    text = client.get(page(manager, "set-up-test", found.pk)).content.decode()

    before = Connection.objects.count(), ConnectionAuthorization.objects.count(), StudyMapping.objects.count()
    client.post(page(manager, "set-up-finish", found.pk))

    mapping = StudyMapping.objects.get()
    route = routing.route_of(mapping)
    assert before == (0, 0, 0)
    assert "eCOA answered every call as it should." in text
    assert [step["name"] for step in found.steps] == ["discover", "discover", "authorize", "read"]
    assert (route.base_url, route.credentials.secret) == (BASE, ecoa_machine.SECRET)
    assert list(mapping.sites.values_list("number", flat=True)) == ["1005", "2001"]
    assert (SetUp.objects.get().state, Secret.objects.filter(purpose="eCOA set-up").count()) == ("finished", 0)


def test_set_up_with_an_existing_connection_asks_for_the_tenant_only(machine, manager, client):
    connection = make_mapping(manager, external_study_id="older").connection

    found = begin(manager, client, STUDY | {"connection": connection.pk})
    found = probe(manager, client, found)
    client.post(page(manager, "set-up-finish", found.pk))

    assert StudyMapping.objects.get(name="Real study").connection == connection
    assert ConnectionAuthorization.objects.count() == 1


@pytest.mark.parametrize(
    ("trouble", "code", "words"),
    [
        ({"discover_answer": failure("NF-0002", "NOT_FOUND")}, "NF-0002", "does not know the system ID"),
        ({"discover_answer": failure("NF-0003", "NOT_FOUND")}, "NF-0003", "not a site with this number"),
        ({"discover_answer": failure("IC-0002", "INVALID_CONFIG")}, "IC-0002", "not switched on"),
        ({"discover_answer": ecoa_machine.HTML}, "html", "A web page came"),
        ({"discover_answer": ecoa_machine.success({"region": "https://evil.example.org/"})}, "VA-REGION", "not trust"),
        ({"authorize_status": 401}, "VA-SIGN-IN", "does not accept the sign-in"),
        ({"refuse_all_tokens": True}, "token", "the token is not accepted"),
        ({"down": True}, "reset", "broke off"),
    ],
)
def test_failure_is_told_in_words_with_what_to_do(machine, manager, client, trouble, code, words):
    found = begin(manager, client, STUDY | {"site_numbers": "1005"})
    for name, value in trouble.items():
        setattr(machine, name, value)

    found = probe(manager, client, found)
    text = client.get(page(manager, "set-up-test", found.pk)).content.decode()

    assert (found.test_state, found.steps[-1]["code"]) == ("failed", code)
    assert words in text
    assert ecoa_machine.SECRET not in text
    assert client.post(page(manager, "set-up-finish", found.pk)).status_code == 422
    assert not StudyMapping.objects.exists()


@pytest.mark.parametrize(
    ("url", "code"), [("https://nowhere.invalid/", "dns"), ("https://10.0.0.1/", ""), ("http://x.example.com/", "")]
)
def test_address_is_judged_when_entered_or_called(machine, manager, client, url, code):
    client.post(page(manager, "set-up-start"), STUDY)
    found = SetUp.objects.get()

    answer = client.post(page(manager, "set-up-credentials", found.pk), CREDENTIALS | {"base_url": url})

    if not code:
        assert answer.status_code == 422
    else:
        assert probe(manager, client, found).steps[0]["code"] == code


def test_finish_without_a_signing_certificate_makes_nothing_and_says_what_to_do(machine, manager, client):
    found = probe(manager, client, begin(manager, client))

    answer = client.post(page(manager, "set-up-finish", found.pk))

    made = Connection.objects.count(), ConnectionAuthorization.objects.count(), StudyMapping.objects.count()
    assert answer.status_code == 422
    assert "no signing certificate yet. Ask its operator to run “manage.py setup”" in answer.content.decode()
    assert (made, SetUp.objects.get().state) == ((0, 0, 0), "open")


def test_changed_answers_need_another_test(machine, manager, client):
    found = probe(manager, client, begin(manager, client))
    client.post(page(manager, "set-up-credentials", found.pk), CREDENTIALS | {"secret": "", "tenant_id": "another"})

    answer = client.post(page(manager, "set-up-finish", found.pk))

    assert answer.status_code == 422
    assert "changed since the test" in answer.content.decode()


def test_another_host_asks_for_the_secret_again(machine, manager, client):
    found = begin(manager, client)

    moved = CREDENTIALS | {"secret": "", "base_url": "https://sponsors.myveeva.com/"}
    answer = client.post(page(manager, "set-up-credentials", found.pk), moved)

    assert answer.status_code == 422
    assert "enter the secret again" in answer.content.decode()


def test_set_up_is_gone_on_with_and_shows_no_secret(machine, manager, client):
    found = begin(manager, client)

    pages = [page(manager, "set-ups"), page(manager, "set-up-start")]
    pages += [page(manager, f"set-up-{step}", found.pk) for step in ("study", "sheet", "credentials", "test", "finish")]
    texts = [client.get(address).content.decode() for address in pages]

    assert "Go on with Real study" in texts[0]
    assert all(ecoa_machine.SECRET not in text for text in texts)
    assert not AuditEvent.objects.filter(changes__icontains=ecoa_machine.SECRET).exists()


def test_discarded_set_up_leaves_no_secret_behind(machine, manager, client):
    found = begin(manager, client)

    client.post(page(manager, "set-up-discard", found.pk))

    assert (SetUp.objects.get().state, Secret.objects.count()) == ("discarded", 0)
    assert client.get(page(manager, "set-up-test", found.pk)).status_code == 404


def test_study_that_is_mapped_already_is_refused(manager, client):
    make_mapping(manager)

    answer = client.post(page(manager, "set-up-start"), STUDY)

    assert answer.status_code == 422
    assert "set up already" in answer.content.decode()


@pytest.mark.parametrize(
    ("addresses", "shown"), [(["203.0.113.7"], "203.0.113.7"), ([], "VAULTADMIN_OUTBOUND_ADDRESSES")]
)
def test_sheet_says_our_outbound_address_or_how_to_find_it(manager, client, settings, monkeypatch, addresses, shown):
    settings.OUTBOUND_ADDRESSES = addresses
    monkeypatch.setattr("vaultadmin.outbound.own_address._own", lambda: "10.1.2.3")
    client.post(page(manager, "set-up-start"), STUDY)

    text = client.get(page(manager, "set-up-sheet", SetUp.objects.get().pk)).content.decode()

    assert shown in text


def test_sheet_is_mailed_to_whoever_asks(manager, client):
    client.post(page(manager, "set-up-start"), STUDY)

    client.post(page(manager, "set-up-sheet", SetUp.objects.get().pk))
    notices.deliver_due(now=clock.now())

    assert mail.outbox[0].to == [manager.user.email]
    assert f"Study ID in our system: {ecoa_machine.STUDY}" in mail.outbox[0].body


def test_every_documented_code_has_a_meaning():
    assert {code.value for code in Code} <= set(TABLE)
    assert meaning_of("XX-9999").do


def test_test_that_ends_every_worker_fails_and_says_what_to_do(machine, manager, client):
    found = begin(manager, client)
    client.post(page(manager, "set-up-test", found.pk))
    SetUp.objects.update(tries=carrying.TRIES, test_state="running")

    carrying.work(set_up_id=found.pk)

    text = client.get(page(manager, "set-up-test", found.pk)).content.decode()
    assert "The test broke off every time it was begun" in text
    assert SetUp.objects.get().tries == 0
