from uuid import uuid4

from connections.models import Connection, IncomingMessage, Queue
from connections.services.messages import tallies
from connections.spark import receipts
from connections.spark.envelope import SparkBody
from connections.spark.message import write_payload
from vaultadmin import clock


def body_of(attributes, items, *, message_id=None, queue_name="studies__c", now=None, attempt=1) -> bytes:
    at = now or clock.now()
    return SparkBody(
        vault_name="Other Vault",
        vault_host_name="other.example.com",
        queue_name=queue_name,
        entered_at=at,
        sent_at=at,
        attempt=attempt,
        message_id=message_id or uuid4(),
        message=write_payload(attributes, items),
    ).write()


def make_incoming(queue: Queue, connection: Connection | None, *, attributes=None, items=("X1",), **fields):
    attributes = {"object": "study__v"} if attributes is None else attributes
    message_id, now = uuid4(), fields.get("received_at") or clock.now()
    values = {
        "message_id": message_id,
        "body": body_of(attributes, items, message_id=message_id, now=now).decode(),
        "keys": [*items, *(value for value in attributes.values() if isinstance(value, str))],
        "remote_vault_id": 1,
        "remote_queue_name": "studies__c",
        "certificate_id": "00001",
        "is_receipt": receipts.is_receipt(attributes),
        "received_at": now,
        "due_at": now,
    }
    made = IncomingMessage.objects.create(vault=queue.vault, queue=queue, connection=connection, **(values | fields))
    if made.due_at is not None:
        tallies.add({queue.pk: 1})
    return made
