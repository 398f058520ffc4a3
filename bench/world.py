"""The little world a benchmark of participants needs: a vault, its way to the bundled eCOA service, a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from django.db import connection
from django.db.models.expressions import DatabaseDefault

from connections.constants import AuthorizationType
from connections.services import authorizations, creating
from ecoa.models import Participant, Site, StudyMapping
from ecoa.service import seeding
from ecoa.services import mappings, sites
from vaultadmin import audit, clock
from vaultadmin.models import Application, Membership, User
from vaultadmin.services import vaults

BENCH = audit.System("Benchmark")
SYSTEM_ID, TENANT_ID, STUDY_ID = "bench-RTSM", "bench", "bench-study"
REGIONS = {"1005": "us", "2001": "eu", "3001": "ap"}
HOST = "ecoa.demo.test"


@dataclass(frozen=True)
class World:
    """One study with a site in each region, and what its system signs in with."""

    manager: Membership
    mapping: StudyMapping
    sites: list[Site]
    system_id: str
    secret: str


def make(*, name: str = "Benchmark") -> World:
    """Everything through the services people use; the service's own side is seeded to match."""
    secret, mark = uuid4().hex, uuid4().hex[:8]
    manager = owner(name, mark)
    system = seeding.ensure_system(external_id=f"{SYSTEM_ID}-{mark}", secret=secret, tenant_id=TENANT_ID)
    study = seeding.ensure_study(f"{STUDY_ID}-{mark}", system=system)
    for number, region in REGIONS.items():
        seeding.ensure_site(study, number, region)
    mapping = _mapping(manager, system.external_id, study.external_id, secret)
    made = [sites.add(mapping=mapping, number=number, by=BENCH) for number in REGIONS]
    return World(manager, mapping, made, system.external_id, secret)


def add_participants(
    world: World, sites: list[Site], amount: int, *, prefix: str, values: Mapping[str, str] | None = None
) -> None:
    """Insert participants `prefix-0000001` and on, spread over the sites in turn, in one statement.

    `values` maps columns to SQL over the running number `n`. Every other column has what the model, or the
    database itself, gives a new row.
    Triggers and constraints work as always.
    """
    pattern = _pattern(world, sites[0])
    columns = {
        str(field.column): getattr(pattern, field.attname)
        for field in Participant._meta.concrete_fields
        if not (field.primary_key or isinstance(getattr(pattern, field.attname), DatabaseDefault))
    }
    sets = {
        "site_id": "(%(sites)s::bigint[])[1 + n %% %(places)s]",
        "participant_id": "%(prefix)s || lpad(n::text, 7, '0')",
        "internal_id": "'i-' || %(prefix)s || lpad(n::text, 7, '0')",
        **(values or {}),
    }
    chosen = ", ".join(sets.get(column, f"%({column})s") for column in columns)
    statement = (
        f"INSERT INTO {Participant._meta.db_table} ({', '.join(columns)})"
        f" SELECT {chosen} FROM generate_series(1, %(amount)s) AS n"
    )
    places = {"sites": [site.pk for site in sites], "places": len(sites), "prefix": f"{prefix}-", "amount": amount}
    with connection.cursor() as cursor:
        cursor.execute(statement, columns | places)
        cursor.execute(f"ANALYZE {Participant._meta.db_table}")


def identifiers(prefix: str, amount: int) -> list[tuple[str, str]]:
    """(participantId, internalId) as `add_participants` would number them."""
    return [(f"{prefix}-{n:07}", f"i-{prefix}-{n:07}") for n in range(1, amount + 1)]


def owner(name: str, mark: str) -> Membership:
    """The Vault Owner of a vault of its own."""
    person = User.objects.create_user(f"bench-{mark}@example.test", None, name="Benchmark")
    vault = vaults.create_vault(
        id=None,
        name=f"{name} {mark}",
        dns=f"bench-{mark}.localhost",
        application=Application.CLINICAL_OPERATIONS,
        by=person,
        now=clock.now(),
    )
    return Membership.objects.for_request().get(user=person, vault=vault)


def _mapping(manager: Membership, system_id: str, study_id: str, secret: str) -> StudyMapping:
    authorization = authorizations.create(
        type=AuthorizationType.CLIENT_CREDENTIALS,
        name="Benchmark",
        identity=system_id,
        secret=secret,
        by=manager,
        now=clock.now(),
    )
    link = creating.create_external(
        name="Benchmark",
        api_name="bench_ecoa",
        url=f"https://{HOST}/myveeva/global/",
        authorization=authorization,
        by=manager,
        now=clock.now(),
    )
    return mappings.create(
        vault=manager.vault,
        by=BENCH,
        name="Benchmark",
        connection=link,
        tenant_id=TENANT_ID,
        external_study_id=study_id,
    )


def _pattern(world: World, site: Site) -> Participant:
    now = clock.now()
    return Participant(vault=world.manager.vault, mapping=world.mapping, site=site, created_at=now, changed_at=now)
