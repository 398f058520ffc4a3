from itertools import count

from ecoa.models import Participant, Scope, Site, StudyMapping
from ecoa.services import mappings, runs, sites
from tests.factories.connections import make_authorization, make_external
from tests.factories.people import make_member, make_vault
from tests.fakes import ecoa_machine
from vaultadmin import audit, clock
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission

SYSTEM = audit.System("test")
_numbers = count(1)


def make_manager(vault=None) -> Membership:
    return make_member(vault or make_vault(), Permission.ECOA_MANAGE, Permission.MANAGE_CONNECTIONS)


def make_mapping(by: Membership | None = None, **fields) -> StudyMapping:
    by = by or make_manager()
    authorization = make_authorization(by, identity=ecoa_machine.SYSTEM, secret=ecoa_machine.SECRET)
    connection = make_external(by, url=f"https://{ecoa_machine.HOST}/global/", authorization=authorization)
    values = {
        "name": f"Study {next(_numbers)}",
        "connection": connection,
        "tenant_id": ecoa_machine.TENANT,
        "external_study_id": ecoa_machine.STUDY,
    }
    return mappings.create(vault=by.vault, by=by, **(values | fields))


def make_site(mapping: StudyMapping, number: str = "1005") -> Site:
    return sites.add(mapping=mapping, number=number, by=SYSTEM)


def make_participants(site: Site, amount: int = 1, **fields) -> list[Participant]:
    now = clock.now()
    rows = []
    for _ in range(amount):
        number = next(_numbers)
        values = {"participant_id": f"{site.number}-{number:04d}", "internal_id": f"internal-{number}"} | fields
        rows.append(
            Participant(vault=site.vault, mapping=site.mapping, site=site, created_at=now, changed_at=now, **values)
        )
    return Participant.objects.bulk_create(rows)


def make_run(mapping: StudyMapping, scope: Scope = Scope.INCREMENTAL, **fields):
    return runs.plan(mapping=mapping, scope=scope, by=SYSTEM, now=clock.now(), **fields)
