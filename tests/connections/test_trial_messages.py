import json
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from connections.models import MessageCopy, SparkMessage
from connections.processing import filing
from connections.services.messages import queue_links, queues, trial_message
from connections.services.refusals import Refused
from tests.connections.pages import address, hidden_fields, sign_in
from tests.factories.connections import make_external
from tests.factories.people import make_member, make_vault
from tests.factories.spark import make_inbound, make_link, make_outbound
from vaultadmin import clock
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(certificate):
    return make_member(make_vault(), *Permission)


@pytest.fixture
def connection(owner):
    return make_external(owner, api_name="rtsm")


@pytest.fixture
def queue(owner, connection):
    return make_outbound(owner, connection, name="updates__c")


def send(connection, queue, by, key=None):
    return trial_message.send(connection=connection, queue=queue, key=key or uuid4(), by=by, now=clock.now())


def test_test_message_takes_the_way_of_every_message_and_says_what_it_is(connection, queue, owner):
    sent = send(connection, queue, owner)

    copy = MessageCopy.objects.get()
    assert sent.copies == {"rtsm": copy.message_id}
    assert json.loads(copy.content.payload)["attributes"] == {"test__sys": True, "connection__sys": "rtsm"}
    event = AuditEvent.objects.get(event="connection.test_message_sent")
    assert event.changes["Message through rtsm"] == [None, str(copy.message_id)]


def test_same_key_sends_one_message(connection, queue, owner):
    key = uuid4()

    first, second = (send(connection, queue, owner, key) for _ in range(2))

    assert list(first.copies.values()) == list(second.copies.values())
    assert SparkMessage.objects.count() == 1


def test_queue_that_does_not_name_the_connection_is_refused(connection, queue, owner):
    queue_links.remove(link=queue.connections.get(), by=owner, now=clock.now())

    with pytest.raises(Refused, match="no longer names"):
        send(connection, queue, owner)


def test_whoever_does_not_operate_messages_may_not(connection, queue, owner):
    with pytest.raises(PermissionRefused):
        send(connection, queue, make_member(owner.vault, Permission.MANAGE_CONNECTIONS))


def test_dialog_names_every_receiver_and_sends(connection, queue, owner):
    other = make_external(owner, name="Archive")
    make_link(queue, other, owner)
    browser, page = sign_in(owner), address(connection, "test-message")
    shown = browser.get(page).content.decode()

    answer = browser.post(page, hidden_fields(shown) | {"queue": queue.pk})

    assert "goes to RTSM, Archive" in shown
    assert answer.status_code == 302
    assert MessageCopy.objects.count() == 2


def test_connection_no_queue_names_says_so(connection, queue, owner):
    queues.set_active(queue=queue, active=False, by=owner, now=clock.now())
    browser = sign_in(owner)

    assert "No active Outbound queue names this connection." in browser.get(address(connection)).content.decode()
    assert browser.post(address(connection, "test-message"), {}).status_code == 409


def test_dialog_closes_with_a_link_to_the_message(connection, queue, owner):
    browser, page = sign_in(owner), address(connection, "test-message")
    shown = browser.get(page).content.decode()

    answer = browser.post(page, hidden_fields(shown) | {"queue": queue.pk}, headers={"HX-Request": "true"})

    told = json.loads(answer["HX-Trigger"])["toast"]
    assert (told["text"], told["link"]) == ("The test message is on its way.", "Look at it")
    assert browser.get(told["url"]).status_code == 200
    assert str(MessageCopy.objects.get().message_id) in told["url"]


def queue_page(queue, name=""):
    return f"/v/{queue.vault_id}/admin/queues/{queue.name}/{name}"


def test_queue_sends_to_every_receiver_and_leads_to_the_copies(connection, queue, owner):
    make_link(queue, make_external(owner, name="Archive"), owner)
    browser = sign_in(owner)
    offered = browser.get(queue_page(queue)).content.decode()
    shown = browser.get(queue_page(queue, "test-message/")).content.decode()

    answer = browser.post(queue_page(queue, "test-message/"), hidden_fields(shown), follow=True)
    browser.post(queue_page(queue, "test-message/"), hidden_fields(shown))

    assert "Send signed test message" in offered
    assert "goes to RTSM, Archive." in shown
    assert 'messages/?direction=out&amp;queue=updates__c">Look at its copies</a>' in answer.content.decode()
    assert MessageCopy.objects.count() == 2
    assert json.loads(SparkMessage.objects.get().payload)["attributes"] == {"test__sys": True}
    assert AuditEvent.objects.get(event="queue.test_message_sent").changes["Queue"] == [None, "updates__c"]


def test_queue_nothing_can_leave_by_says_why(connection, queue, owner):
    browser = sign_in(owner)
    queue_links.remove(link=queue.connections.get(), by=owner, now=clock.now())
    lonely = browser.get(queue_page(queue)).content.decode()
    queues.set_active(queue=queue, active=False, by=owner, now=clock.now())

    answer = browser.post(queue_page(queue, "test-message/"), {"key": uuid4()})

    assert "This queue has no connection a message could leave through." in lonely
    assert answer.status_code == 409
    assert "This queue is inactive" in answer.content.decode()
    assert not SparkMessage.objects.exists()


def test_inbound_queue_sends_no_test_message(owner):
    inbound = make_inbound(owner, processor=filing.NAME)
    browser = sign_in(owner)

    assert "Send signed test message" not in browser.get(queue_page(inbound)).content.decode()
    assert browser.get(queue_page(inbound, "test-message/")).status_code == 404


def run(*arguments):
    out = StringIO()
    call_command("spark_send", *arguments, stdout=out)
    return out.getvalue()


def refusal(*arguments):
    with pytest.raises(CommandError) as error:
        run(*arguments)
    return error.value.returncode, str(error.value)


def test_command_puts_a_message_with_typed_attributes(queue, owner):
    told = run(
        f"--vault={owner.vault_id}",
        "--queue=updates__c",
        *("--items", "A1", "A2"),
        *("--attributes", "object=study__v", "count:=3", "final:=true"),
    )

    copy = MessageCopy.objects.get()
    assert told == f"rtsm {copy.message_id}\n"
    assert json.loads(copy.content.payload) == {
        "attributes": {"object": "study__v", "count": 3, "final": True},
        "items": ["A1", "A2"],
    }
    assert AuditEvent.objects.get(event="queue.message_put").actor == "Command spark_send"


def test_command_prints_json(queue, owner):
    told = json.loads(run(f"--vault={owner.vault_id}", "--queue=updates__c", "--json"))

    assert told == {"copies": [{"connection": "rtsm", "message_id": str(MessageCopy.objects.get().message_id)}]}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--queue=none__c"], "no queue"),
        (["--queue=updates__c", "--attributes", "plain"], "write NAME=TEXT"),
        (["--queue=updates__c", "--attributes", "a:=word"], "neither true nor false"),
        (["--queue=updates__c", "--attributes", "a=1", "a=2"], "named twice"),
        (["--queue=updates__c", "--items", "x" * 101], "at most 100"),
    ],
    ids=["queue", "attribute", "value", "twice", "item"],
)
def test_wrong_use_of_the_command_is_status_2_in_one_sentence(queue, owner, arguments, sentence):
    status, said = refusal(f"--vault={owner.vault_id}", *arguments)

    assert status == 2
    assert sentence in said


def test_command_for_an_unknown_vault_is_wrong_use(db):
    assert refusal("--vault=4711", "--queue=updates__c") == (2, "There is no vault 4711.")


@pytest.mark.parametrize("rolls_back", [True, False])
def test_queue_that_cannot_take_it_now_is_status_1(connection, owner, rolls_back):
    queue = make_outbound(owner, connection, name="closed__c", rollback_on_error=rolls_back)
    queues.set_active(queue=queue, active=False, by=owner, now=clock.now())

    status, said = refusal(f"--vault={owner.vault_id}", "--queue=closed__c")

    assert status == 1
    assert "Inactive" in said
