from datetime import timedelta

import pytest

from connections.constants import Verdict
from connections.models import Binding, Connection, OutgoingPeerMessage
from connections.selectors import record as records
from connections.selectors import timeline
from connections.services.handshake import approving, delivering, establishing, exchange
from connections.services.handshake.establishing import FileRefused
from tests.factories.people import make_member
from vaultadmin import clock
from vaultadmin.models.signature import SigningMethod
from vaultadmin.permissions import Permission
from vaultadmin.signing.services import Proof
from vaultadmin.together import answer


def upload(raw, by, connection=None):
    return establishing.connect_from_file(raw=raw, by=by, now=clock.now(), connection=connection)


def refused(raw, by, connection=None):
    with pytest.raises(FileRefused) as refusal:
        upload(raw, by, connection)
    return str(refusal.value)


def decide(binding, by, verdict=Verdict.APPROVE, comment="", **more):
    return approving.complete(
        binding=binding,
        verdict=verdict,
        comment=comment,
        seen_version=exchange.version_of(binding),
        proof=proof_of(by),
        by=by,
        now=clock.now(),
        **more,
    )


def proof_of(by):
    return Proof(by.user_id, SigningMethod.PASSWORD, clock.now())


def settle(rounds=20):
    """Send what is due until nothing is, whatever waits its turn included."""
    for _ in range(rounds):
        OutgoingPeerMessage.objects.filter(settled_at=None).update(
            due_at=clock.now() - timedelta(seconds=1), lease_token=None, lease_until=None
        )
        if not delivering.deliver_due(now=clock.now()):
            return
    raise AssertionError("messages do not come to rest")


def other_side(binding):
    return Binding.objects.exclude(pk=binding.pk).get(exchange=binding.exchange)


def fresh(instance):
    return type(instance).objects.get(pk=instance.pk)


def states(*connections):
    return [Connection.objects.get(pk=connection.pk).get_state_display() for connection in connections]


def record_of(connection):
    reader = make_member(connection.vault, Permission.CONNECTION_READ)
    return answer(records.find(reader, connection.api_name))


def steps_of(connection):
    return answer(timeline.events(record_of(connection)))
