from ecoa.service import seeding
from ecoa.service.models import ServiceFault, ServiceParticipant, ServiceSite, ServiceStudyMapping, ServiceSystem
from tests.ecoa.service.caller import SECRET, STUDY, SYSTEM, TENANT
from vaultadmin.models import AuditEvent

WORLD = {"system_id": SYSTEM, "tenant_id": TENANT, "study_id": STUDY, "sites": {"1005": "us", "2001": "eu"}}
TABLES = [AuditEvent, ServiceFault, ServiceParticipant, ServiceSite, ServiceStudyMapping]


def test_seed_twice_changes_nothing(db):
    first = seeding.seed_demo(secret=SECRET, **WORLD)
    before = [table.objects.count() for table in TABLES]

    assert seeding.seed_demo(secret=SECRET, **WORLD) == first
    assert [table.objects.count() for table in TABLES] == before
    assert ServiceSystem.objects.get(external_id=SYSTEM).secrets.get().version == 1


def test_seed_with_another_secret_replaces_it(caller):
    seeding.seed_demo(secret="a newer secret", **WORLD)

    assert caller.authorize(secret="a newer secret").status_code == 200
    assert caller.authorize().status_code == 401
