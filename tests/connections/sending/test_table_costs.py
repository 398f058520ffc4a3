from django.db import connection as database

from connections.constants import AttemptOutcome
from connections.delivery import settling
from connections.delivery.outcomes import Result
from connections.delivery.policy import POLICY
from connections.delivery.sent import Sent
from tests.connections.sending.lane_work import put_all, take
from vaultadmin import clock

UPDATED = """
SELECT pg_stat_get_xact_tuples_updated(%(table)s::regclass), pg_stat_get_xact_tuples_hot_updated(%(table)s::regclass)
"""


def updated(table):
    with database.cursor() as cursor:
        cursor.execute(UPDATED, {"table": table})
        return cursor.fetchone()


def since(before, table):
    return tuple(now - then for now, then in zip(updated(table), before, strict=True))


def test_only_settling_a_copy_writes_into_indexes(admin, queue):
    put_all(queue, admin, *"ABC")
    copies, attempts = updated("connections_messagecopy"), updated("connections_deliveryattempt")
    [batch] = take()
    assert since(copies, "connections_messagecopy") == (3, 3)

    delivered = Result(AttemptOutcome.DELIVERED, 200, answer="taken")
    settling.settle(batch, [Sent(job, delivered) for job in batch.jobs], policy=POLICY, now=clock.now())

    assert since(copies, "connections_messagecopy") == (6, 3)
    assert since(attempts, "connections_deliveryattempt") == (3, 3)
