from dataclasses import dataclass

import pytest

from connections.constants import AttemptOutcome
from connections.delivery import claiming, settling
from connections.delivery.outcomes import Result
from connections.delivery.policy import POLICY
from connections.delivery.sent import Sent
from connections.models import Connection, MessageCopy, Queue
from tests.connections.pages import sign_in
from tests.factories.connections import make_external
from tests.factories.people import make_member
from tests.factories.spark import make_outbound, make_spark_admin, put
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission


@dataclass
class Traffic:
    """A queue with one External connection, the person who made it, and one who operates its messages."""

    admin: Membership
    operator: Membership
    connection: Connection
    queue: Queue

    def put(self, *, now, items=("X1",), **draft) -> MessageCopy:
        response = put(self.queue, self.admin, items=items, now=now, **draft)
        return MessageCopy.objects.get(message_id=response.copies[0].message_id)

    def settle(self, result: Result, *, now) -> int:
        """Have every message that is due end its attempt like this."""
        number = 0
        for batch in claiming.take(now=now, policy=POLICY, lanes=8):
            sent = [Sent(job, result, "https://rtsm.example.com/", "00001", now, "ab" * 32) for job in batch.jobs]
            settling.settle(batch, sent, policy=POLICY, now=now)
            number += len(sent)
        return number

    def failed(self, *, now, **draft) -> MessageCopy:
        copy = self.put(now=now, **draft)
        self.settle(GONE, now=now)
        return MessageCopy.objects.get(pk=copy.pk)

    def delivered(self, *, now, **draft) -> MessageCopy:
        copy = self.put(now=now, **draft)
        self.settle(ACCEPTED, now=now)
        return MessageCopy.objects.get(pk=copy.pk)


GONE = Result(AttemptOutcome.REFUSED, 410, 12, "The receiver answered with the HTTP status 410.", "gone", ends=True)
ACCEPTED = Result(AttemptOutcome.DELIVERED, 200, 35, answer="thanks")
BUSY = Result(AttemptOutcome.REFUSED, 503, 40, "The receiver answered with the HTTP status 503.", "busy")


@pytest.fixture
def traffic(certificate) -> Traffic:
    admin = make_spark_admin()
    connection = make_external(admin)
    operator = make_member(admin.vault, Permission.MESSAGES_OPERATE)
    return Traffic(admin, operator, connection, make_outbound(admin, connection))


@pytest.fixture
def operating(traffic):
    return sign_in(traffic.operator)
