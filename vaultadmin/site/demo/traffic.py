"""Messages of the demo: both ways between Vaults, to an application outside, on hold, failing, and set aside.

Everything is asked of the services people's pages use. A queue that is there already was made before, with its
messages; what became of it since is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from connections.constants import ConnectionState, QueueType
from connections.models import Binding, Connection, Queue
from connections.processing import answering, filing
from connections.services import creating
from connections.services.messages import putting, queue_links, queues
from connections.services.messages.putting import Draft
from connections.spark.message import AttributeValue
from vaultadmin.models import Membership
from vaultadmin.site.demo import people, world

_RECEIPTS_OUT, _RECEIPTS_IN = "receipts_out__c", "receipts_in__c"


@dataclass(frozen=True)
class Flow:
    """What travels one way over an established standard connection, and whether it is answered."""

    key: str
    source: int
    target: int
    noun: str
    label: str
    object: str
    records: Sequence[str]
    is_answered: bool = False


FLOWS = (
    Flow("clinops_edc", 1001, 1002, "studies", "Studies and sites", "study__v", ("0ST00001", "0ST00002"), True),
    Flow("clinops_edc", 1002, 1001, "subjects", "Subjects and visits", "subject__v", ("0SU00101", "0SU00102")),
    Flow("quality_lims", 1004, 1005, "batches", "Batches and materials", "batch__v", ("V2B00017", "V2B00018"), True),
    Flow("quality_lims", 1005, 1004, "results", "Test results", "test_result__v", ("V2R00471",)),
    Flow("safety_rim", 1006, 1003, "products", "Products", "product__v", ("00P00307", "00P00308"), True),
)
_MESSAGES = 3


def load(*, now: datetime) -> None:
    """Queues, and what travels through them."""
    for flow in FLOWS:
        sides = _sides(flow)
        if sides is not None:
            _flow(flow, *sides, now)
    _outside(now)
    _unanswerable(now)


def _sides(flow: Flow) -> tuple[Connection, Connection] | None:
    """Both records of an established standard connection, the sender's first; None once people took it apart."""
    rows = Connection.objects.filter(standard_key=flow.key, standard_instance=1, state=ConnectionState.ACTIVE)
    binding = Binding.objects.in_force().filter(connection__in=rows.filter(vault=flow.source)).first()
    if binding is None:
        return None
    other = Binding.objects.in_force().exclude(pk=binding.pk).filter(exchange=binding.exchange).first()
    return (binding.connection, other.connection) if other is not None else None


def _flow(flow: Flow, mine: Connection, theirs: Connection, now: datetime) -> None:
    if _exists(flow.source, f"{flow.noun}_out__c"):
        return
    processor = answering.NAME if flow.is_answered else filing.NAME
    _inbound(theirs, f"{flow.noun}_in__c", flow.label, processor, now)
    if flow.is_answered:
        _inbound(mine, _RECEIPTS_IN, "Receipts", filing.NAME, now)
        _outbound(theirs, _RECEIPTS_OUT, "Receipts", now, deliver_to=_RECEIPTS_IN)
    queue = _outbound(mine, f"{flow.noun}_out__c", flow.label, now, deliver_to=f"{flow.noun}_in__c")
    for number in range(1, _MESSAGES + 1):
        _put(queue, {"object": flow.object, "event": "changed", "number": number}, flow.records, now)


def _outside(now: datetime) -> None:
    """An application that takes messages, one that is not there, and one that gets none until delivery is enabled."""
    if _exists(world.ECOA_VAULT, "warehouse__c"):
        return
    warehouse = _external("Data warehouse", "data_warehouse", world.RECEIVER_URL, now)
    archive = _external("Document archive", "document_archive", world.NOBODY_URL, now)
    for name, label, connection in (
        ("warehouse__c", "Data warehouse", warehouse),
        ("archive__c", "Document archive", archive),
        ("registrations__c", "Registrations, on hold", warehouse),
    ):
        queue = _outbound(connection, name, label, now)
        if name == "registrations__c":
            queue = queues.set_delivery(queue=queue, enabled=False, by=_admin(world.ECOA_VAULT), now=now)
        for number in range(1, _MESSAGES + 1):
            _put(queue, {"object": "document__v", "number": number, "final": number == _MESSAGES}, ["VV-00123"], now)


def _unanswerable(now: datetime) -> None:
    """Work a vault asks of itself by a processor that finds no way back: its message ends among those set aside."""
    local = Connection.objects.filter(vault=1001, api_name="local_jobs", state=ConnectionState.ACTIVE).first()
    if local is None or _exists(1001, "site_letters__c"):
        return
    _inbound(local, "site_letters_in__c", "Site letters to answer", answering.NAME, now)
    queue = _outbound(local, "site_letters__c", "Site letters", now, deliver_to="site_letters_in__c")
    queue_links.add(
        queue=queue,
        connection=_external("Letter service", "letter_service", world.RECEIVER_URL, now),
        by=_admin(1001),
        now=now,
    )
    _put(queue, {"object": "site__v", "letter": "activation"}, ["0SI00017"], now)


def _admin(vault_id: int) -> Membership:
    return people.member(world.ADMIN, vault_id)


def _exists(vault_id: int, name: str) -> bool:
    return Queue.objects.filter(vault=vault_id, name=name).exists()


def _external(name: str, api_name: str, url: str, now: datetime) -> Connection:
    found = Connection.objects.filter(vault=world.ECOA_VAULT, api_name=api_name).first()
    if found is not None:
        return found
    by = _admin(world.ECOA_VAULT)
    return creating.create_external(name=name, api_name=api_name, url=url, description="", by=by, now=now)


def _inbound(connection: Connection, name: str, label: str, processor: str, now: datetime) -> None:
    by = _admin(connection.vault_id)
    queue = Queue.objects.filter(vault=connection.vault_id, name=name).first()
    if queue is None:
        queue = queues.create(name=name, label=label, type=QueueType.INBOUND, processor=processor, by=by, now=now)
    _link(queue, connection, by, now)


def _outbound(connection: Connection, name: str, label: str, now: datetime, *, deliver_to: str = "") -> Queue:
    by = _admin(connection.vault_id)
    queue = Queue.objects.filter(vault=connection.vault_id, name=name).first()
    if queue is None:
        queue = queues.create(name=name, label=label, type=QueueType.OUTBOUND, by=by, now=now)
    _link(queue, connection, by, now, deliver_to)
    return queue


def _link(queue: Queue, connection: Connection, by: Membership, now: datetime, deliver_to: str = "") -> None:
    if not queue.connections.filter(connection=connection).exists():
        queue_links.add(queue=queue, connection=connection, by=by, now=now, deliver_to_queue=deliver_to)


def _put(queue: Queue, attributes: dict[str, AttributeValue], items: Sequence[str], now: datetime) -> None:
    with transaction.atomic():
        putting.enqueue(vault=queue.vault, queue=queue.name, draft=Draft(attributes, items), by=people.DEMO, now=now)
