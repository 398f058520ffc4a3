from datetime import timedelta

import pytest

from connections.services.messages import alerts, traffic
from connections.services.messages.alerts import Wanted
from connections.services.messages.traffic import Passage
from connections.services.stats import Counts
from tests.factories.connections import make_external
from tests.factories.people import make_member, make_vault
from tests.factories.spark import SPARK_ADMIN, make_outbound
from vaultadmin import clock
from vaultadmin.permissions import Permission

SECRET = "sixteen letters or more"


@pytest.fixture
def now():
    return clock.now().replace(microsecond=0)


@pytest.fixture
def admin(vault):
    return make_member(vault, *SPARK_ADMIN, Permission.MESSAGES_OPERATE)


@pytest.fixture
def vault():
    return make_vault()


@pytest.fixture
def link(admin):
    return make_outbound(admin, make_external(admin)).connections.select_related("queue", "connection").get()


@pytest.fixture
def make_rule(admin, link, now):
    def make(kind, *, place="queue", at=None, **wanted):
        where = {place: getattr(link, place)}
        return alerts.create(wanted=Wanted(kind, **wanted), by=admin, now=at or now - timedelta(days=1), **where)

    return make


@pytest.fixture
def carry(link, now):
    def count(*, at=None, waits=(), **counts):
        passage = Passage(Counts(**counts), waits)
        traffic.count_many({(link.queue_id, link.connection_id): passage}, at=at or now)

    return count
