"""One of every eCOA thing an address can name."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

from connections.constants import AuthorizationType
from connections.services import authorizations, creating
from ecoa.models import EvidenceReport, Participant, Scope, SetUp, SilenceAlarm, Site, SitePause, SiteRhythm, SyncDay
from ecoa.services import choosing, correcting, importing, mappings, runs, sites
from tests.guards import drift_objects, service_objects
from vaultadmin import audit, clock
from vaultadmin.models import Membership

BY = audit.System("Guard")


def build(owner: Membership, staff: Membership) -> dict[str, Any]:
    """Ids by argument name, as tests.guards.objects wants them."""
    vault, now = owner.vault, clock.now()
    authorization = authorizations.create(
        type=AuthorizationType.CLIENT_CREDENTIALS, name="eCOA", identity="x", secret="open sesame", by=owner, now=now
    )
    connection = creating.create_external(
        name="eCOA",
        api_name=f"ecoa_{vault.pk}",
        url="https://ecoa.example.com/",
        authorization=authorization,
        by=owner,
        now=now,
    )
    mapping = mappings.create(
        vault=vault,
        by=BY,
        name="Guarded study",
        connection=connection,
        tenant_id="tenant",
        external_study_id=f"guarded-study-{vault.pk}",
    )
    site = sites.add(mapping=mapping, number="1005", by=BY)
    sites.assign(site=site, member=staff, by=BY)
    participant = Participant.objects.create(
        vault=vault, mapping=mapping, site=site, participant_id="p-1", internal_id="i-1", created_at=now, changed_at=now
    )
    correction = correcting.ask(participant=participant, new_value="p-3", reason="Typed wrongly", by=staff, now=now)
    rows = io.BytesIO(b"site,participantId,internalId\n1005,p-2,i-2\n")
    file = importing.receive(mapping=mapping, file=rows, name="guarded.csv", by=BY, now=now)
    choice = choosing.Choice(0, 1, 2)
    columns = choosing.remember(
        mapping=mapping, heading=["Centre", "Subject", "Key"], choice=choice, name="Guarded", by=BY, now=now
    )
    run = runs.plan(mapping=mapping, scope=Scope.ALL, by=BY, now=now)
    return study_objects(site) | {
        "study": mapping.external_study_id,
        "site": site.number,
        "mapping_id": mapping.pk,
        "site_id": site.pk,
        "sites:member_id": staff.pk,
        "participant_id": participant.pk,
        "correction_id": correction.pk,
        "file_id": file.pk,
        "columns_id": columns.pk,
        "run_id": run.pk,
        **service_objects.build(owner),
        **drift_objects.build(owner, participant),
    }


def study_objects(site: Site) -> dict[str, Any]:
    """What the study team's addresses name: a site with a rhythm, a pause, an alarm and a report."""
    now = clock.now()
    SiteRhythm.objects.create(site=site, interval_hours=24, declared_at=now)
    SyncDay.objects.create(mapping=site.mapping, date=now.date(), sent=3, confirmed=2, rejected=1)
    alarm = SilenceAlarm.objects.create(site=site, opened_at=now, expected_at=now, reason="Nothing came.")
    pause = SitePause.objects.create(
        site=site, starts_at=now, ends_at=now + timedelta(hours=1), reason="Guarded", created_at=now
    )
    report = EvidenceReport.objects.create(vault=site.vault, site=site, asked_by_label="Guard", asked_at=now)
    set_up = SetUp.objects.create(
        vault=site.vault,
        name="Guarded set-up",
        external_study_id="guarded-set-up",
        site_numbers=["1005"],
        created_at=now,
        changed_at=now,
    )
    return {"set_up_id": set_up.pk, "alarm_id": alarm.pk, "pause_id": pause.pk, "report_id": report.pk, "format": "csv"}
