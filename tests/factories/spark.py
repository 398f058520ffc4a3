from uuid import uuid4

from connections.constants import QueueType
from connections.models import Connection, Queue, QueueConnection
from connections.services.messages import putting, queue_links, queues
from connections.services.messages.putting import Draft, PutResponse
from tests.factories.connections import ADMIN
from tests.factories.people import make_member, make_vault
from vaultadmin import clock
from vaultadmin.models import Membership, Vault
from vaultadmin.permissions import Permission

SPARK_ADMIN = (*ADMIN, Permission.SPARK_QUEUES, Permission.SDK_JOB_QUEUES, Permission.CONNECTION_DELETE)


def make_spark_admin(vault: Vault | None = None) -> Membership:
    return make_member(vault or make_vault(), *SPARK_ADMIN)


def make_outbound(by: Membership, *connections: Connection, deliver_to: str = "", **fields) -> Queue:
    values = {"name": f"q{uuid4().hex[:12]}__c", "label": "Study updates", "type": QueueType.OUTBOUND} | fields
    queue = queues.create(by=by, now=clock.now(), **values)
    for connection in connections:
        make_link(queue, connection, by, deliver_to=deliver_to)
    return queue


def make_inbound(by: Membership, *connections: Connection, processor: str, **fields) -> Queue:
    values = {"name": f"q{uuid4().hex[:12]}__c", "label": "Arrivals", "type": QueueType.INBOUND} | fields
    queue = queues.create(by=by, now=clock.now(), processor=processor, **values)
    for connection in connections:
        make_link(queue, connection, by)
    return queue


def make_link(queue: Queue, connection: Connection, by: Membership, *, deliver_to: str = "") -> QueueConnection:
    return queue_links.add(queue=queue, connection=connection, by=by, now=clock.now(), deliver_to_queue=deliver_to)


def put(queue: Queue, by: Membership, *, items=("X1",), now=None, **draft) -> PutResponse:
    attributes = draft.pop("attributes", {"object": "study__v"})
    return putting.enqueue(
        vault=by.vault, queue=queue.name, draft=Draft(attributes, list(items), **draft), by=by, now=now or clock.now()
    )
