from types import SimpleNamespace

from django.db import transaction

from connections.constants import CopyState
from connections.models import Connection, MessageCopy, Queue
from connections.processing import filing
from connections.services.messages import holding, resending
from tests.connections.rollovers import established
from tests.factories.connections import download, make_external, make_vault_to_vault
from tests.factories.people import make_member, make_vault
from tests.factories.spark import SPARK_ADMIN, make_inbound, make_outbound, make_spark_admin, put
from vaultadmin import clock
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission
from vaultadmin.site.demo import people, world

HOST = "spark.example.com"
ARRIVALS = "arrivals__c"
# By name: whether it is sequential.
OUTWARD = {"aside__c": False, "in_a_row__c": True}
ACROSS = "across__c"
_AT_ONCE = 250


def begin(amount: int) -> None:
    """Run inside an installation: a receiver of another make, two vaults that know each other, and messages.

    They are held until the last one is there.
    """
    here, there = make_vault(), make_vault()
    sender, receiver = make_member(here, *SPARK_ADMIN, Permission.MESSAGES_OPERATE), make_spark_admin(there)
    outside = make_external(sender, url=f"https://{HOST}/spark?tenant=a")
    for name, in_a_row in OUTWARD.items():
        make_outbound(sender, outside, name=name, sequential=in_a_row)
    source, target = established(_pair(sender, receiver))
    make_outbound(sender, source, deliver_to=ARRIVALS, name=ACROSS, sequential=True)
    make_inbound(receiver, target, processor=filing.NAME, name=ARRIVALS, sequential=True)
    held = holding.hold(reason="Everything leaves together.", by=sender, now=clock.now())
    queues = [Queue.objects.get(vault=here, name=name) for name in (*OUTWARD, ACROSS)]
    for start in range(0, amount, _AT_ONCE):
        with transaction.atomic():
            _put(queues, sender, range(start, min(start + _AT_ONCE, amount)))
    holding.release(held=held, by=sender, now=clock.now())


def send_again(lost: list[tuple[str, str]]) -> None:
    """Run inside an installation: what was set aside and did not arrive, by queue and item, is sent again."""
    rows = [
        MessageCopy.objects.get(queue__name=queue, content__keys__0=item, state=CopyState.SET_ASIDE)
        for queue, item in lost
    ]
    by = Membership.objects.for_request().get(vault=rows[0].vault_id)
    resending.resend(copies=rows, reason="It did not arrive.", by=by, now=clock.now())


def _put(queues: list[Queue], by: Membership, numbers: range) -> None:
    for number in numbers:
        for queue in queues:
            answer = put(queue, by, attributes={"number": number}, items=[f"{number:05}"])
            assert answer.error is None, answer.sentence


def _pair(sender: Membership, receiver: Membership) -> SimpleNamespace:
    def source_record(**fields):
        return make_vault_to_vault(sender, **fields)

    def file(*, connection):
        return download(connection, sender)

    return SimpleNamespace(source_record=source_record, file=file, target=receiver.vault, target_admin=receiver)


def take_in(vault_id: int, connection: str, name: str) -> None:
    """Run inside an installation: an inbound queue of a demo vault that takes from this connection."""
    by = people.member(world.ADMIN, vault_id)
    make_inbound(by, Connection.objects.get(vault=vault_id, api_name=connection), processor=filing.NAME, name=name)


def send(vault_id: int, connection: str, name: str, deliver_to: str) -> None:
    """Run inside an installation: one message through this connection."""
    by = people.member(world.ADMIN, vault_id)
    through = Connection.objects.get(vault=vault_id, api_name=connection)
    put(make_outbound(by, through, deliver_to=deliver_to, name=name), by, items=[name])
