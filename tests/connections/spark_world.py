import pytest

from connections.constants import ConnectionState
from connections.models import Binding, IncomingMessage
from connections.processing import filing
from connections.services.messages import queue_links, queues
from tests.connections.remote_peer import RemotePeer
from tests.connections.remote_peer import post as post_to_peering
from tests.connections.spark_peer import SparkLetter
from tests.factories.people import make_member
from tests.served import served
from vaultadmin import clock
from vaultadmin.permissions import Permission


@pytest.fixture
def client():
    return served(enforce_csrf_checks=True)


@pytest.fixture
def peer(pair):
    return RemotePeer(vault_id=pair.target.pk)


@pytest.fixture
def owner(pair):
    return make_member(pair.source, *Permission)


@pytest.fixture
def connection(client, pair, peer):
    """Established with a vault of another installation that has the number of one of ours."""
    record = pair.source_record(remote_vault_id=peer.vault_id)
    assert post_to_peering(client, peer.connect(pair.file(connection=record))).status_code == 200
    record = type(record).objects.get(pk=record.pk)
    assert record.state == ConnectionState.ACTIVE
    return record


@pytest.fixture
def binding(connection):
    return Binding.objects.get(connection=connection)


@pytest.fixture
def queue(owner, connection):
    made = queues.create(
        name="arrivals__c", label="Arrivals", type="inbound", processor=filing.NAME, by=owner, now=clock.now()
    )
    queue_links.add(queue=made, connection=connection, by=owner, now=clock.now())
    return made


@pytest.fixture
def letter(peer, queue):
    return SparkLetter(peer, queue)


def stored():
    return IncomingMessage.objects.count()
