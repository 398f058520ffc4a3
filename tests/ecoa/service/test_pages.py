import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ecoa.service import faults, studies, systems
from ecoa.service.faults import FaultCall, FaultKind
from ecoa.service.models import ServiceFault, ServiceParticipant, ServiceStudy, ServiceSystem
from tests.ecoa.service.caller import Caller, code_of
from tests.factories.people import make_member, make_vault
from tests.guards.world import signed_in
from vaultadmin import audit, clock
from vaultadmin.permissions import Permission

BY = audit.System("test")


@pytest.fixture
def manager(db):
    return make_member(make_vault(), Permission.ECOA_MANAGE)


@pytest.fixture
def browser(manager):
    return signed_in(manager.user)


def address(manager, name, *ids):
    return reverse(f"ecoa:{name}", args=[manager.vault_id, *ids])


def text(response):
    assert response.status_code == 200, response.content[:500]
    return response.content.decode()


def create(browser, manager, **changes):
    values = {"external_id": "mv-ext-new", "tenant_id": "new", "allowed_addresses": ""} | changes
    return browser.post(address(manager, "service-system-create"), values)


def secret_in(page):
    return page.split('data-copy="')[1].split('"')[0]


def authorize(secret):
    return Caller().authorize(system="mv-ext-new", tenant="new", secret=secret)


def fault(**more):
    return faults.arm(region="us", call=FaultCall.POST, kind=FaultKind.HTML, by=BY, **more)


def test_new_system_shows_its_secret_once_and_signs_in_with_it(browser, manager):
    secret = secret_in(text(create(browser, manager)))

    system = ServiceSystem.objects.get(external_id="mv-ext-new")
    assert authorize(secret).status_code == 200
    assert secret not in text(browser.get(address(manager, "service-system", system.pk)))
    assert secret not in str(list(audit.history(system).values()))


def test_system_id_that_is_taken_is_refused_and_kept_as_typed(browser, manager):
    create(browser, manager)

    response = create(browser, manager)

    assert response.status_code == 422
    assert b"already" in response.content
    assert b"mv-ext-new" in response.content
    assert ServiceSystem.objects.filter(external_id="mv-ext-new").count() == 1


def test_address_list_is_read_line_by_line_and_counts(browser, manager):
    refused = create(browser, manager, allowed_addresses="not an address")
    secret = secret_in(text(create(browser, manager, allowed_addresses="192.0.2.7\n198.51.100.0/24, 2001:db8::/32")))

    system = ServiceSystem.objects.get(external_id="mv-ext-new")
    assert refused.status_code == 422
    assert system.allowed_addresses == ["192.0.2.7/32", "198.51.100.0/24", "2001:db8::/32"]
    assert authorize(secret).status_code == 401


def test_issued_secret_overlaps_and_the_old_one_can_be_revoked(browser, manager):
    old = secret_in(text(create(browser, manager)))
    system = ServiceSystem.objects.get(external_id="mv-ext-new")

    new = secret_in(text(browser.post(address(manager, "service-secret-issue", system.pk), {"overlap": "24"})))
    assert [authorize(each).status_code for each in (old, new)] == [200, 200]

    first = system.secrets.get(version=1)
    browser.post(address(manager, "service-secret-revoke", system.pk, first.pk))
    assert [authorize(each).status_code for each in (old, new)] == [401, 200]


def test_study_made_on_pages_is_reached_until_its_mapping_is_withdrawn(browser, manager):
    secret = secret_in(text(create(browser, manager)))
    system = ServiceSystem.objects.get(external_id="mv-ext-new")
    browser.post(address(manager, "service-study-create"), {"external_id": "study-1"})
    study = ServiceStudy.objects.get(external_id="study-1")
    browser.post(address(manager, "service-site-add", study.pk), {"number": "1005", "region": "eu"})
    browser.post(address(manager, "service-study-map", study.pk), {"system": system.pk})
    token = authorize(secret).json()["jwt"]
    mapping = study.mappings.get()

    def discovered():
        return Caller().discover(system="mv-ext-new", study="study-1")

    assert token
    assert discovered().json()["data"][0]["region"].endswith("/myveeva/eu/")
    browser.post(address(manager, "service-mapping-withdraw", mapping.pk))
    assert code_of(discovered()) == "IC-0003"
    browser.post(address(manager, "service-mapping-restore", mapping.pk))
    browser.post(address(manager, "service-study-switch", study.pk))
    assert code_of(discovered()) == "IC-0002"
    browser.post(address(manager, "service-study-switch", study.pk))
    browser.post(address(manager, "service-site-move", study.sites.get().pk), {"region": "ap"})
    assert discovered().json()["data"][0]["region"].endswith("/myveeva/ap/")


def participants_of(study, site, amount):
    now = clock.now()
    ServiceParticipant.objects.bulk_create(
        ServiceParticipant(
            study=study,
            site=site,
            region="us",
            internal_id=f"i-{number}",
            participant_id=f"p-{number}",
            created_at=now,
            updated_at=now,
        )
        for number in range(amount)
    )


def test_participants_page_by_key_and_are_found_by_each_of_their_ids(browser, manager):
    study = studies.create_study(vault=manager.vault, external_id="study-1", by=BY)
    participants_of(study, studies.add_site(study, number="1005", region="us", by=BY), 60)
    page = address(manager, "service-participants")
    one = ServiceParticipant.objects.get(internal_id="i-7")

    assert text(browser.get(page)).count("<tr>") == 51
    for key in ("p-7", "i-7", str(one.my_veeva_participant_id)):
        shown = text(browser.get(page, {"q": key}))
        assert shown.count("<tr>") == 2
        assert "p-7" in shown
    assert "Nobody has this ID" in text(browser.get(page, {"q": "p-"}))


def test_pages_ask_no_more_for_more_rows(browser, manager):
    study = studies.create_study(vault=manager.vault, external_id="study-1", by=BY)
    site = studies.add_site(study, number="1005", region="us", by=BY)
    participants_of(study, site, 1)
    systems.create_system(external_id="s", secret="x" * 43, by=BY, vault=manager.vault)
    fault()
    names = ("service", "service-studies", "service-participants", "fault-board")

    def asked():
        counts = {}
        for name in names:
            with CaptureQueriesContext(connection) as queries:
                text(browser.get(address(manager, name)))
            counts[name] = len(queries)
        return counts

    asked()
    few = asked()
    ServiceParticipant.objects.all().delete()
    participants_of(study, site, 60)
    for number in range(12):
        systems.create_system(external_id=f"s-{number}", secret="x" * 43, by=BY, vault=manager.vault)
        studies.create_study(vault=manager.vault, external_id=f"study-2{number}", by=BY)
        fault(share=number)

    assert asked() == few


def test_nothing_of_another_vault_is_shown(browser, manager):
    elsewhere = make_vault()
    system = systems.create_system(external_id="foreign-system", secret="x" * 43, by=BY, vault=elsewhere)
    study = studies.create_study(vault=elsewhere, external_id="foreign-study", by=BY)
    participants_of(study, studies.add_site(study, number="1005", region="us", by=BY), 1)
    systems.create_system(external_id="seeded-system", secret="x" * 43, by=BY)

    shown = "".join(
        text(browser.get(address(manager, name))) for name in ("service", "service-studies", "service-participants")
    )
    assert not any(word in shown for word in ("foreign", "seeded", "p-0"))
    assert browser.get(address(manager, "service-system", system.pk)).status_code == 404
    assert text(browser.get(address(manager, "service-participants"), {"study": study.pk})).count("foreign") == 0


def test_fault_armed_on_the_board_meets_calls_and_is_counted(browser, manager):
    values = {"kind": "rate_limit", "call": "discover", "region": "global", "share": "100", "seed": "3"}
    values |= {"hold_seconds": "4", "distribution": "fixed", "remaining": ""}

    assert browser.post(address(manager, "fault-add"), values).status_code == 302
    assert browser.post(address(manager, "fault-add"), values).status_code == 422

    armed = ServiceFault.objects.get()
    assert (armed.kind, armed.seed, armed.remaining, armed.hold_seconds) == ("rate_limit", 3, None, 4)
    assert "Says 429" in text(browser.get(address(manager, "fault-board")))


def test_board_refuses_what_cannot_happen(browser, manager):
    values = {"kind": "expired_token", "call": "discover", "region": "global", "share": "5", "seed": "1"}

    response = browser.post(address(manager, "fault-add"), values | {"distribution": "fixed"})

    assert response.status_code == 422
    assert not ServiceFault.objects.exists()


def test_scenario_plays_once_until_everything_is_off(browser, manager):
    play = address(manager, "fault-play", "outage")

    assert browser.post(play, {"seed": "5"}).status_code == 302
    assert browser.post(play, {"seed": "5"}).status_code == 422
    assert set(ServiceFault.objects.values_list("scenario", "seed")) == {("outage", 5)}

    browser.post(address(manager, "faults-off"))
    assert not ServiceFault.objects.filter(is_on=True).exists()


def test_fault_is_switched_rewound_and_removed(browser, manager):
    made = fault()
    ServiceFault.objects.update(drawn=7, injected=3)

    browser.post(address(manager, "fault-rewind", made.pk))
    browser.post(address(manager, "fault-switch", made.pk))
    made = ServiceFault.objects.get()
    assert (made.drawn, made.injected, made.is_on) == (0, 0, False)

    browser.post(address(manager, "fault-remove", made.pk))
    assert not ServiceFault.objects.exists()


def test_production_board_says_why_and_arms_nothing(browser, manager, settings):
    made = fault()
    settings.PRODUCTION = True
    settings.SECURE_SSL_REDIRECT = False

    board = text(browser.get(address(manager, "fault-board")))
    assert "production installation" in board
    assert "Scenarios" not in board
    values = {"kind": "html", "call": "post", "region": "us", "share": "5", "seed": "1", "distribution": "fixed"}
    for name, ids in (("fault-add", []), ("fault-play", ["slow"]), ("fault-switch", [made.pk])):
        response = browser.post(address(manager, name, *ids), values)
        assert response.status_code == 409
        assert b"production installation" in response.content
    assert browser.post(address(manager, "faults-off")).status_code == 302
    assert list(ServiceFault.objects.values_list("is_on", flat=True)) == [False]


def test_board_is_unchanged_until_something_is_injected(browser, manager):
    fault()
    page = address(manager, "fault-board")
    asked = {"HX-Request": "true"}
    asked["If-None-Match"] = browser.get(page, headers=asked)["ETag"]

    assert browser.get(page, headers=asked).status_code == 304
    ServiceFault.objects.update(injected=1)
    assert browser.get(page, headers=asked).status_code == 200


def test_pages_need_the_permission_to_manage(db):
    viewer = make_member(make_vault(), Permission.ECOA_STUDY_TEAM)
    browser = signed_in(viewer.user)

    for name in ("service", "service-studies", "service-participants", "fault-board"):
        assert browser.get(address(viewer, name)).status_code == 403
    assert Client().get(address(viewer, "service")).status_code == 302
