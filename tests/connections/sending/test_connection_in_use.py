import pytest

from connections.processing import filing
from connections.selectors import foresight
from connections.services import deleting
from connections.services.messages import queue_links, queues
from connections.services.refusals import Refused
from tests.connections.handshake import settle, upload
from tests.factories.connections import make_external
from tests.factories.spark import make_inbound, make_outbound, make_spark_admin, put
from vaultadmin import clock
from vaultadmin.together import answer


def test_a_connection_is_not_deleted_while_a_queue_names_it(admin, connection, queue):
    with pytest.raises(Refused, match="The queue “Study updates” uses this connection"):
        deleting.delete(connection=connection, by=admin, now=clock.now())

    queue_links.remove(link=queue.connections.get(), by=admin, now=clock.now())
    deleting.delete(connection=connection, by=admin, now=clock.now())
    assert not type(connection).objects.filter(pk=connection.pk).exists()


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (["A", "B"], "The queues “A”, “B” use this connection; take it out there first."),
        (["A", "B", "C", "D"], "The queues “A”, “B”, “C” and others use this connection; take it out there first."),
    ],
)
def test_the_refusal_names_the_queues(admin, labels, sentence):
    connection = make_external(admin)
    for label in labels:
        make_outbound(admin, connection, label=label)

    assert answer(deleting.delete_refusal(connection)) == sentence


def test_a_connection_for_which_messages_wait_stays_in_its_queue(admin, queue):
    put(queue, admin)

    with pytest.raises(Refused, match="Messages still wait"):
        queue_links.remove(link=queue.connections.get(), by=admin, now=clock.now())


def test_the_plan_of_an_approval_names_the_queues_and_does_not_change_with_every_message(pair):
    source = pair.source_record()
    upload(pair.file(connection=source), pair.target_admin)
    settle()
    sender = make_spark_admin(pair.source)
    outbound = make_outbound(sender, source, deliver_to="arrivals__c", name="updates__c")
    stopped = make_outbound(sender, source, deliver_to="arrivals__c", name="stopped__c", label="Stopped")
    queues.set_delivery(queue=stopped, enabled=False, by=sender, now=clock.now())
    make_inbound(sender, source, processor=filing.NAME, name="answers__c")
    binding = source.bindings.open().get()

    plan = foresight.plan_of(binding)
    put(outbound, sender)

    assert [(row["name"], row["text"]) for row in plan["starts"] if row["kind"] == "Queue"] == [
        ("Arrivals (answers__c)", "messages are taken in"),
        ("Stopped (stopped__c)", "delivery is disabled: messages wait"),
        ("Study updates (updates__c)", "messages leave for arrivals__c"),
    ]
    assert foresight.plan_of(binding) == plan
