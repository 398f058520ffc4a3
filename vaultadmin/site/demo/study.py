"""The demo's study: mappings, sites, and a few hundred participants, some of which meet each documented refusal."""

from __future__ import annotations

import io
import time
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction

from ecoa.models import FileImport, Participant, Site, StudyMapping, SyncRun
from ecoa.models.file_import import ImportState
from ecoa.models.sync import OPEN_STATES, Scope
from ecoa.service import seeding
from ecoa.services import importing, mappings, runs, sites
from vaultadmin import clock
from vaultadmin.models import Membership
from vaultadmin.site.demo import life, links, people, world
from vaultadmin.site.demo.credentials import Credentials

_NAMES = {"1005": "Riverside Clinic", "2001": "Klinik am Park", "3001": "Harbour Hospital"}
_SIZES = {"1005": 42, "2001": 160, "3001": 120}
_MAIN = "Demo study"
_UNKNOWN_VERSION = "v99.9"
_WAIT_SECONDS = 60
_WORK_STEPS = 200


def load(credentials: Credentials, *, now: datetime) -> None:
    """Seed the bundled service, map the study to it, and import the participants."""
    admin = people.member(world.ADMIN, world.ECOA_VAULT)
    odd = seeding.seed_demo(
        system_id=world.SYSTEM_ID,
        secret=credentials.ecoa_secret,
        tenant_id=world.TENANT_ID,
        study_id=world.STUDY_ID,
        sites=world.SITES,
        vault=admin.vault,
    )
    main = _mapping(_MAIN, world.STUDY_ID, admin)
    _sites(main, [*world.SITES, odd.unknown_site, odd.site_of_other_study, odd.unconfigured_site], admin)
    coordinated = Site.objects.get(mapping=main, number=world.COORDINATOR_SITE)
    sites.assign(site=coordinated, member=people.member(world.COORDINATOR, world.ECOA_VAULT), by=admin)
    _import(main, "participants.csv", _rows(odd), admin, now)
    for name, study_id in (
        ("Study without integration", odd.disabled_study),
        ("Study with a withdrawn mapping", odd.withdrawn_study),
        ("Study unknown to the system", odd.unmapped_study),
    ):
        _odd_study(name, study_id, odd.odd_study_site, admin, now)
    _odd_study(
        "Study with a wrong API version", f"{world.STUDY_ID}-version", odd.odd_study_site, admin, now, _UNKNOWN_VERSION
    )


def sync(*, now: datetime) -> str:
    """Plan a run for every demo study that has something to send, wait for the workers, and say what came out.

    Once all is sent the main study gets a life of its own.
    """
    admin = people.member(world.ADMIN, world.ECOA_VAULT)
    planned = [_plan(mapping, admin, now) for mapping in StudyMapping.objects.filter(vault=world.ECOA_VAULT)]
    waiting = [run.pk for run in planned if run is not None]
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline and SyncRun.objects.filter(pk__in=waiting, state__in=OPEN_STATES).exists():
        time.sleep(0.5)
    if not SyncRun.objects.filter(pk__in=waiting, state__in=OPEN_STATES).exists():
        life.begin(StudyMapping.objects.get(vault=world.ECOA_VAULT, external_study_id=world.STUDY_ID), now=clock.now())
    return _summary()


def _mapping(name: str, study_id: str, by: Membership, version: str = "") -> StudyMapping:
    found = StudyMapping.objects.filter(vault=world.ECOA_VAULT, external_study_id=study_id).first()
    if found is not None:
        return found
    values = {"api_version": version} if version else {}
    return mappings.create(
        vault=by.vault,
        by=by,
        name=name,
        connection=links.ecoa_connection(),
        tenant_id=world.TENANT_ID,
        external_study_id=study_id,
        **values,
    )


def _sites(mapping: StudyMapping, numbers: list[str], by: Membership) -> None:
    known = set(Site.objects.filter(mapping=mapping).values_list("number", flat=True))
    for number in numbers:
        if number not in known:
            sites.add(mapping=mapping, number=number, name=_NAMES.get(number, ""), by=by)


def _odd_study(name: str, study_id: str, site: str, by: Membership, now: datetime, version: str = "") -> None:
    mapping = _mapping(name, study_id, by, version)
    _sites(mapping, [site], by)
    rows = [(site, f"{site}-{number:03}", _internal(f"{name}-{number}")) for number in range(1, 4)]
    _import(mapping, "participants.csv", rows, by, now)


def _rows(odd: seeding.OddPlaces) -> list[tuple[str, str, str]]:
    """Good participants of three sites, and one for each refusal the service can give for this study."""
    rows = [
        (site, f"{site}-{number:03}", _internal(f"{site}-{number}"))
        for site, size in _SIZES.items()
        for number in range(1, size + 1)
    ]
    first = next(iter(world.SITES))
    rows.append((first, odd.taken_participant_id, _internal("taken")))
    rows.append((first, f"{first}-900", f"{odd.failing_internal_prefix}1"))
    refused = (odd.unknown_site, odd.site_of_other_study, odd.unconfigured_site)
    return rows + [(site, f"{site}-001", _internal(site)) for site in refused]


def _internal(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"urn:vaultadmin:demo:{name}"))


def _import(mapping: StudyMapping, name: str, rows: list[tuple[str, str, str]], by: Membership, now: datetime) -> None:
    if Participant.objects.filter(mapping=mapping).exists():
        return
    text = "\n".join(["site,participantId,internalId", *(",".join(row) for row in rows)])
    received = importing.receive(mapping=mapping, file=io.BytesIO(text.encode()), name=name, by=by, now=now)
    _work_until(received, ImportState.READY)
    importing.confirm(received, by=by, now=now)
    _work_until(received, ImportState.DONE)


def _work_until(file: FileImport, state: str) -> None:
    """Do here what a worker would, in case none runs yet."""
    for _step in range(_WORK_STEPS):
        if FileImport.objects.filter(pk=file.pk, state=state).exists():
            return
        importing.work(import_id=file.pk)
    raise RuntimeError(f"The demo's participant file did not become {state}.")


def _plan(mapping: StudyMapping, by: Membership, now: datetime) -> SyncRun | None:
    unsent = Participant.objects.filter(mapping=mapping, synced_version=0, code="", message="")
    if SyncRun.objects.filter(mapping=mapping, state__in=OPEN_STATES).exists() or not unsent.exists():
        return None
    with transaction.atomic():
        return runs.plan(mapping=mapping, scope=Scope.INCREMENTAL, by=by, now=now)


def _summary() -> str:
    counts = {
        status: Participant.objects.filter(vault=world.ECOA_VAULT, status=status).count()
        for status in ("synced", "rejected", "unknown", "waiting")
    }
    return (
        f"Participants: {counts['synced']} are in eCOA, {counts['rejected']} were not accepted, "
        f"{counts['unknown'] + counts['waiting']} are still being asked about."
    )
