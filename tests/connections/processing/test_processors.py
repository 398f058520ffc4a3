import json

import pytest

from connections.constants import IncomingState
from connections.models import FiledMessage, MessageCopy, SparkMessage
from connections.processing import answering, filing, working
from connections.services.messages import queues, tallies
from connections.spark import receipts
from tests.connections.handshake import fresh
from tests.factories.connections import make_local
from tests.factories.incoming import make_incoming
from tests.factories.people import make_member, make_vault
from tests.factories.spark import make_inbound, make_link, make_outbound
from vaultadmin import clock
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(certificate):
    return make_member(make_vault(), *Permission)


@pytest.fixture
def link(owner):
    return make_local(owner)


def work(now=None):
    moment = now or clock.now()
    return working.work(now=lambda: moment)


def answered(owner, link):
    return make_inbound(owner, link, processor=answering.NAME)


def elsewhere(owner, link):
    return make_inbound(owner, link, processor=filing.NAME).name


def test_message_is_filed_for_people(owner, link):
    queue = make_inbound(owner, link, processor=filing.NAME)
    message = make_incoming(queue, link)

    assert work() == 1

    assert FiledMessage.objects.get().message == message
    assert fresh(message).state == IncomingState.PROCESSED
    assert tallies.waiting(queue) == 0


def test_message_is_answered_with_a_receipt_that_holds_nothing_of_it(owner, link):
    queue = answered(owner, link)
    back = make_outbound(owner, link, deliver_to=elsewhere(owner, link))
    message = make_incoming(queue, link, attributes={"secret": "plum"}, items=["A1", "A2"])

    work()

    receipt = SparkMessage.objects.get(queue=back)
    said = json.loads(receipt.payload)
    assert receipt.is_receipt
    assert said["items"] == []
    assert said["attributes"] | {"processed_at__sys": ""} == {
        "receipt_for__sys": str(message.message_id),
        "receipt_queue__sys": queue.name,
        "receipt_items__sys": 2,
        "received_at__sys": said["attributes"]["received_at__sys"],
        "processed_at__sys": "",
    }
    assert "plum" not in receipt.payload


def test_receipt_is_never_answered(owner, link):
    queue = answered(owner, link)
    make_outbound(owner, link, deliver_to=elsewhere(owner, link))
    message = make_incoming(queue, link, attributes={receipts.RECEIPT_FOR: "0"})

    work()

    assert not SparkMessage.objects.exists()
    assert fresh(message).state == IncomingState.PROCESSED


def test_receipt_leaves_by_the_queue_made_for_it_and_by_one_connection_only(owner, link):
    queue = answered(owner, link)
    there = elsewhere(owner, link)
    both = make_outbound(owner, link, name="a_both__c", deliver_to=there)
    make_link(both, make_local(owner), owner, deliver_to=there)
    make_outbound(owner, link, name="b_events__c", deliver_to=there)
    wanted = make_outbound(owner, link, name="receipts__c", deliver_to=there)
    make_incoming(queue, link)

    work()

    assert [copy.queue for copy in MessageCopy.objects.select_related("queue")] == [wanted]


def test_receipt_of_a_vault_to_itself_goes_to_another_queue_than_the_message(owner, link):
    queue = answered(owner, link)
    make_outbound(owner, link, name="receipts__c", deliver_to=queue.name)
    wanted = make_outbound(owner, link, name="z_last__c", deliver_to=elsewhere(owner, link))
    make_incoming(queue, link)

    work()

    assert SparkMessage.objects.get().queue == wanted


@pytest.mark.parametrize(
    ("stop", "sentence"),
    [
        (lambda queue, by: None, "No active outbound queue leads back"),
        (lambda queue, by: queues.set_active(queue=queue, active=False, by=by, now=clock.now()), "No active outbound"),
    ],
    ids=["no queue", "inactive queue"],
)
def test_missing_way_back_is_said_and_tried_again(owner, link, stop, sentence):
    queue = answered(owner, link)
    if sentence == "No active outbound":
        stop(make_outbound(owner, link, deliver_to=queue.name), owner)
    message = make_incoming(queue, link)

    work()

    kept = fresh(message)
    assert kept.state == IncomingState.WAITING
    assert kept.last_error.startswith(sentence)
    assert kept.due_at > kept.received_at


def test_queue_that_rolls_back_on_errors_undoes_the_receipt_only(owner, link, monkeypatch):
    queue = answered(owner, link)
    make_outbound(owner, link, deliver_to=elsewhere(owner, link), rollback_on_error=True)
    monkeypatch.setattr(tallies, "CAPACITY", 1)
    message = make_incoming(queue, link)
    monkeypatch.setattr(tallies, "waiting", lambda _queue: 5)

    work()

    assert "is full" in fresh(message).last_error
    assert not SparkMessage.objects.exists()


def test_processor_of_a_user_who_left_does_nothing(owner, link):
    user = make_member(owner.vault, *Permission)
    queue = make_inbound(owner, link, processor=filing.NAME, processor_user=user)
    user.user.is_active = False
    user.user.save()
    message = make_incoming(queue, link)

    work()

    assert "is inactive" in fresh(message).last_error
    assert not FiledMessage.objects.exists()


def test_processor_is_told_of_no_connection_and_no_other_vault_for_local_messages(owner, link, processor):
    seen = []
    queue = make_inbound(owner, link, processor=processor(lambda inbound, by, now: seen.append(inbound)))
    make_incoming(queue, link)

    work()

    assert (seen[0].connection_id, seen[0].remote_vault_id, seen[0].remote_queue_name) == (None, None, "")
