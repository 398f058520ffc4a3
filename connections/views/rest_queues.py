"""The five calls of the Vault REST API about queues (veeva-core section 5.3)."""

from __future__ import annotations

from typing import Any

from connections.constants import LaneOutcome, QueueType
from connections.models import Queue, QueueConnection
from connections.selectors import queues as selectors
from connections.services.messages import queue_ending, queues, tallies
from connections.services.refusals import Refused
from connections.spark.envelope import write_instant
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.registries import RestResource
from vaultadmin.rest.call import Call
from vaultadmin.rest.endpoint import endpoint
from vaultadmin.rest.envelope import ErrorType, Failure

_KINDS = (Permission.SPARK_QUEUES, Permission.SDK_JOB_QUEUES)


@endpoint("GET")
def index(call: Call) -> dict[str, Any]:
    """`GET services/queues`: the queues of the types the caller may administer."""
    rows = selectors.administered(call.member.vault_id, _types(call)).order_by("name")
    return {
        "data": [
            {
                "name": queue.name,
                "status": _status(queue),
                "type": queue.type,
                "url": f"{call.root}/{call.version}/services/queues/{queue.name}",
            }
            for queue in rows
        ]
    }


@endpoint("GET")
def detail(call: Call, queue_name: str) -> dict[str, Any]:
    """`GET services/queues/{queue_name}`: an array with the one queue."""
    queue = _queue(call, queue_name)
    return {
        "data": [
            {
                "name": queue.name,
                "status": _status(queue),
                "type": queue.type,
                "delivery": "enabled" if queue.delivery_enabled else "disabled",
                "messages_in_queue": tallies.waiting(queue),
                "connections": [_connection(link) for link in selectors.links(queue)],
            }
        ]
    }


@endpoint("PUT")
def disable_delivery(call: Call, queue_name: str) -> dict[str, Any]:
    """`PUT …/actions/disable_delivery`: messages stay in the queue."""
    return _switch(call, queue_name, enabled=False)


@endpoint("PUT")
def enable_delivery(call: Call, queue_name: str) -> dict[str, Any]:
    """`PUT …/actions/enable_delivery`: messages leave the queue again."""
    return _switch(call, queue_name, enabled=True)


@endpoint("PUT")
def reset(call: Call, queue_name: str) -> dict[str, Any]:
    """`PUT …/actions/reset`: delete every message in the queue; this cannot be undone."""
    queue = _queue(call, queue_name)
    try:
        queue_ending.reset(queue=queue, by=call.member, now=call.now)
    except Refused as refusal:
        raise Failure(ErrorType.OPERATION_NOT_ALLOWED, str(refusal)) from refusal
    return {"responseMessage": queue_ending.DONE}


def _switch(call: Call, queue_name: str, *, enabled: bool) -> dict[str, Any]:
    queue = _queue(call, queue_name)
    try:
        queues.set_delivery(queue=queue, enabled=enabled, by=call.member, now=call.now)
    except Refused as refusal:
        raise Failure(ErrorType.OPERATION_NOT_ALLOWED, str(refusal)) from refusal
    return {}


def _types(call: Call) -> list[QueueType]:
    """What the caller may administer by profile and, with a token, by its scopes; somebody who may nothing is told."""
    caller = call.caller
    types = [type_ for type_ in QueueType if caller is not None and caller.can(queues.needed(type_))]
    if not types:
        raise PermissionRefused(*_KINDS)
    return types


def _queue(call: Call, name: str) -> Queue:
    """A queue of another type than the caller may administer looks like one that does not exist."""
    rows = selectors.administered(call.member.vault_id, _types(call))
    found = rows.filter(name=name.replace("\x00", "")).first()
    if found is None:
        raise Failure(ErrorType.INVALID_DATA, f"There is no queue with the name [{name[:80]}].")
    return found


def _status(queue: Queue) -> str:
    return "active" if queue.is_active else "inactive"


def _connection(link: QueueConnection) -> dict[str, Any]:
    """A connection as the API tells it; the last outcome only once there is one, so never for inbound queues."""
    told: dict[str, Any] = {"name": link.connection.api_name}
    outcome = selectors.outcome(link)
    if outcome is None:
        return told
    told["last_message_delivered"] = outcome.word.value
    if outcome.word is LaneOutcome.ERROR:
        told["error"] = {
            "message_id": str(outcome.message_id),
            "date_time": write_instant(outcome.at),
            "message": outcome.error,
        }
    return told


_ONE = "services/queues/<str:queue_name>"
RESOURCES = (
    RestResource("services/queues", index),
    RestResource(_ONE, detail),
    RestResource(f"{_ONE}/actions/disable_delivery", disable_delivery),
    RestResource(f"{_ONE}/actions/enable_delivery", enable_delivery),
    RestResource(f"{_ONE}/actions/reset", reset),
)
