from datetime import timedelta

import pytest

from ecoa.home import secrets
from ecoa.service import rotation, studies, systems
from ecoa.service.models import ServiceParticipant, ServiceSite, ServiceSystem
from ecoa.services.refusals import Refused
from tests.ecoa.service.caller import SECRET, STUDY, SYSTEM, TENANT, code_of
from tests.factories.people import make_member, make_vault
from vaultadmin import audit, clock
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.together import answer

BY = audit.System("test")
DAY = timedelta(days=1)


@pytest.fixture
def system(caller):
    return ServiceSystem.objects.get(external_id=SYSTEM)


def rotate(system, overlap=DAY, now=None):
    return rotation.rotate(system, overlap=overlap, by=BY, now=now or clock.now())


def token(caller, secret):
    return caller.authorize(secret=secret).json()["jwt"]


def later(monkeypatch, **passed):
    moment = clock.now() + timedelta(**passed)
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_both_secrets_and_their_tokens_hold_during_the_overlap(caller, system):
    old = token(caller, SECRET)

    new = token(caller, rotate(system))

    assert caller.authorize().status_code == 200
    assert [code_of(caller.get("nobody", token=each)) for each in (old, new)] == ["NF-0004"] * 2


def test_old_secret_and_its_tokens_end_with_the_overlap(caller, system, monkeypatch, settings):
    settings.ECOA_TOKEN_MINUTES = 60 * 24 * 30
    old, fresh = token(caller, SECRET), rotate(system)
    new = token(caller, fresh)
    caller.written("1005-001", "i-1", token=old)

    later(monkeypatch, days=1, seconds=1)

    assert caller.authorize().status_code == 401
    assert caller.post("1005-001", "i-1", token=old).status_code == 401
    assert caller.post("1005-001", "i-1", token=new).status_code == 200
    assert caller.authorize(secret=fresh).status_code == 200


def test_without_overlap_the_old_secret_ends_at_once(caller, system):
    old = token(caller, SECRET)

    fresh = rotate(system, overlap=timedelta())

    assert caller.get("nobody", token=old).status_code == 401
    assert [caller.authorize().status_code, caller.authorize(secret=fresh).status_code] == [401, 200]


def test_revoked_secret_ends_its_tokens_and_no_others(caller, system):
    old, new = token(caller, SECRET), token(caller, rotate(system))

    rotation.revoke(system.secrets.get(version=1), by=BY, now=clock.now())

    assert [caller.get("nobody", token=each).status_code for each in (old, new)] == [401, 200]
    assert caller.authorize().status_code == 401


def test_last_secret_may_be_revoked_and_nothing_signs_in_then(caller, system):
    rotation.revoke(system.secrets.get(), by=BY, now=clock.now())

    assert caller.authorize().status_code == 401


def test_third_secret_is_refused_while_two_hold(system):
    rotate(system)

    with pytest.raises(Refused, match="Two secrets"):
        rotate(system)
    rotate(system, overlap=timedelta())
    assert rotation.live(system, now=clock.now()).count() == 1


def test_ended_secret_cannot_be_revoked_again(system):
    secret = rotation.revoke(system.secrets.get(), by=BY, now=clock.now())

    with pytest.raises(Refused):
        rotation.revoke(secret, by=BY, now=clock.now())


def test_overlap_is_bounded(system):
    with pytest.raises(Refused) as refused:
        rotate(system, overlap=timedelta(days=91))

    assert refused.value.field == "overlap"


def test_trail_names_the_versions_and_never_the_secret(system):
    fresh = rotate(system)
    rotation.revoke(system.secrets.get(version=1), by=BY, now=clock.now())

    rows = list(audit.history(system))
    assert [row.event for row in rows[:2]] == ["ecoa_system.secret_revoked", "ecoa_system.secret_replaced"]
    assert fresh not in str([row.changes for row in rows])
    assert rows[1].changes["Version"] == [1, 2]


def test_manager_of_another_vault_changes_nothing(system):
    stranger = make_member(make_vault(), Permission.ECOA_MANAGE)
    site = ServiceSite.objects.get(study__external_id=STUDY, number="1005")
    before = AuditEvent.objects.count()
    acts = [
        lambda: rotation.rotate(system, overlap=DAY, by=stranger, now=clock.now()),
        lambda: rotation.revoke(system.secrets.get(), by=stranger, now=clock.now()),
        lambda: systems.edit(system, allowed_addresses=[], integration_enabled=False, by=stranger),
        lambda: systems.add_tenant(system, tenant_id="x", by=stranger),
        lambda: systems.remove_tenant(system.tenants.get(tenant_id=TENANT), by=stranger),
        lambda: studies.set_enabled(site.study, enabled=False, by=stranger),
        lambda: studies.add_site(site.study, number="x", region="us", by=stranger),
        lambda: studies.move_site(site, region="eu", by=stranger),
    ]

    for act in acts:
        with pytest.raises(PermissionRefused):
            act()
    assert AuditEvent.objects.count() == before


def test_site_moved_to_another_region_takes_its_participants_along(caller):
    kept = caller.written("1005-001", "i-1")
    site = ServiceSite.objects.get(study__external_id=STUDY, number="1005")

    studies.move_site(site, region="eu", by=BY)

    assert caller.found("i-1", region="eu")["myVeevaParticipantId"] == kept
    assert code_of(caller.get("i-1")) == "NF-0003"
    assert set(ServiceParticipant.objects.filter(site=site).values_list("region", flat=True)) == {"eu"}


def test_ending_secret_is_shown_to_those_who_manage_ecoa_of_its_vault(system):
    system.vault = make_vault()
    system.save()
    manager, other = (
        make_member(system.vault, Permission.ECOA_MANAGE),
        make_member(make_vault(), Permission.ECOA_MANAGE),
    )
    rotate(system, overlap=20 * DAY)
    now = clock.now()

    assert answer(secrets.expiring(manager, now)) == []
    (found,) = answer(secrets.expiring(manager, now + 7 * DAY))
    assert found.label == f"{SYSTEM} (version 1)"
    assert answer(secrets.expiring(other, now + 7 * DAY)) == []
    assert answer(secrets.expiring(manager, now + 21 * DAY)) == []
