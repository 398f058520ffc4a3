import json
from datetime import timedelta

from connections.delivery import claiming
from connections.delivery.policy import POLICY
from connections.models import MessageCopy
from tests.connections.sending.captured import Captured
from tests.factories.spark import put
from vaultadmin import clock

# Longer than a lease.
DIES = timedelta(seconds=61)


def take(now=None, *, policy=POLICY, **options):
    return claiming.take(now=now or clock.now(), policy=policy, lanes=64, **options)


def copies(batches):
    return [job.copy for batch in batches for job in batch.jobs]


def names(peer):
    return [json.loads(Captured(request).body)["message"]["items"][0] for request in peer.requests]


def put_all(queue, admin, *items):
    for item in items:
        put(queue, admin, items=[item])
    return list(MessageCopy.objects.filter(queue=queue).order_by("pk").values_list("pk", flat=True))


def states(queue):
    return list(MessageCopy.objects.filter(queue=queue).order_by("pk").values_list("state", flat=True))
