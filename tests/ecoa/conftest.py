import ssl
from dataclasses import dataclass

import pytest
import trustme

from ecoa.models import Participant, Site, StudyMapping, SyncItem, SyncRun
from ecoa.sync import carrier, draining, healing
from ecoa.sync.policy import Policy
from tests.factories.ecoa import make_mapping, make_participants, make_run, make_site
from tests.fakes import ecoa_machine
from vaultadmin import clock
from vaultadmin.models import Membership

QUICK = Policy(first_wait=0.0, longest_wait=0.0, silence_wait=0.01)


@pytest.fixture(scope="session")
def foreign_authority():
    return trustme.CA()


@pytest.fixture
def machine(foreign_authority, tmp_path, settings):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    hosts = [ecoa_machine.HOST, *(f"{region}.{ecoa_machine.HOST}" for region in ("us", "eu", "ap"))]
    foreign_authority.issue_cert(*hosts).configure_cert(context)
    bundle = tmp_path / "ca.pem"
    foreign_authority.cert_pem.write_to_path(str(bundle))
    running = ecoa_machine.Machine(context)
    settings.OUTBOUND_RESOLVE = ",".join(f"{host}:443=127.0.0.1:{running.port}" for host in hosts)
    settings.OUTBOUND_CA_BUNDLE = str(bundle)
    settings.ECOA_REGION_SUFFIXES = [ecoa_machine.HOST]
    carrier.forget()
    yield running
    running.close()


@dataclass
class Study:
    """One study with one site, and the engine driven by hand."""

    mapping: StudyMapping
    site: Site
    manager: Membership

    def participants(self, amount=1, **fields) -> list[Participant]:
        return make_participants(fields.pop("site", self.site), amount, **fields)

    def run(self, policy=QUICK, rounds=12, hurry=False, **fields) -> SyncRun:
        run = make_run(self.mapping, **fields)
        return self.finish(run, policy=policy, rounds=rounds, hurry=hurry)

    def finish(self, run, *, policy=QUICK, rounds=12, hurry=False) -> SyncRun:
        """Drain and tick until the run is over; `hurry` does not wait for times the service asked for."""
        for _ in range(rounds):
            draining.drain(run_id=run.pk, policy=policy)
            healing.tick(now=clock.now(), policy=policy)
            run = SyncRun.objects.get(pk=run.pk)
            if not run.is_open:
                break
            if hurry:
                SyncItem.objects.filter(due_at__gt=clock.now()).update(due_at=clock.now())
        return run


@pytest.fixture
def study(db):
    mapping = make_mapping()
    site = make_site(mapping)
    return Study(mapping, site, mapping.connection.vault.memberships.get())
