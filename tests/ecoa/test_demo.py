from uuid import uuid4

import pytest

from ecoa.models import Correction, EvidenceReport, ReadBackCycle, SilenceAlarm, SiteRhythm
from ecoa.service import seeding, store
from ecoa.service.models import ServiceParticipant, ServiceSite
from ecoa.services import sites
from tests.factories.ecoa import make_mapping, make_participants, make_site
from tests.factories.people import make_member, make_user, make_vault
from vaultadmin import audit, clock
from vaultadmin.models import Task
from vaultadmin.permissions import Permission
from vaultadmin.site.demo import life, world

pytestmark = pytest.mark.django_db
SENT = {"1005": "1005-017", "2001": "2001-098", "3001": "3001-093"}


@pytest.fixture
def study():
    vault = make_vault(id=world.ECOA_VAULT)
    who = {world.ADMIN: Permission.ECOA_MANAGE, world.SPONSOR: Permission.ECOA_STUDY_TEAM}
    members = {
        person: make_member(vault, needs, Permission.MANAGE_CONNECTIONS, user=make_user(email=person.email))
        for person, needs in (who | {world.COORDINATOR: Permission.ECOA_VIEW_SITES}).items()
    }
    mapping = make_mapping(members[world.ADMIN], external_study_id=world.STUDY_ID)
    there = seeding.ensure_study(world.STUDY_ID)
    for number, region in world.SITES.items():
        site, service_site = make_site(mapping, number), seeding.ensure_site(there, number, region)
        [row] = make_participants(
            site, participant_id=SENT[number], status="synced", version=1, synced_version=1, internal_id=str(uuid4())
        )
        spot = store.Spot(there.pk, service_site.pk, region)
        store.upsert(spot, internal_id=row.internal_id, participant_id=row.participant_id, now=clock.now())
        sites.assign(site=site, member=members[world.COORDINATOR], by=audit.System("Test"))
    return mapping


def test_life_of_the_demo_study_shows_every_page_something_and_begins_once(study):
    for _ in range(2):
        study.refresh_from_db()
        life.begin(study, now=clock.now())

    assert SilenceAlarm.objects.get().site.number == "4001"
    assert SiteRhythm.objects.count() == study.sites.count() == 4
    assert Correction.objects.get().state == "asked"
    assert Task.objects.get().subject_type == "ecoa.correction"
    assert EvidenceReport.objects.count() == ReadBackCycle.objects.filter(hurried=True).count() == 1
    assert ServiceParticipant.objects.get(participant_id="2001-0098").site.number == "2001"
    assert ServiceParticipant.objects.get(participant_id="3001-093").site == ServiceSite.objects.get(number="1005")
    study.refresh_from_db()
    assert study.next_run_at is not None
