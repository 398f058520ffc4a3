import pytest
from django.urls import reverse

from connections.constants import IncomingState
from connections.models import FiledMessage
from connections.processing import filing, working
from connections.services.messages import set_aside, tallies
from connections.services.refusals import Refused
from tests.connections.handshake import fresh
from tests.connections.pages import sign_in
from tests.factories.connections import make_local
from tests.factories.incoming import make_incoming
from tests.factories.people import make_member, make_vault
from tests.factories.spark import make_inbound
from vaultadmin import clock
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(certificate):
    return make_member(make_vault(), *Permission)


@pytest.fixture
def operator(owner):
    return make_member(owner.vault, Permission.MESSAGES_OPERATE)


@pytest.fixture
def queue(owner):
    return make_inbound(owner, make_local(owner), processor=filing.NAME)


@pytest.fixture
def message(queue, now):
    connection = queue.connections.get().connection
    return make_incoming(
        queue,
        connection,
        state=IncomingState.SET_ASIDE.value,
        due_at=None,
        settled_at=now,
        attempts=5,
        last_error="The shelf is full.",
    )


def url(message, name):
    return reverse(f"connections:incoming-{name}", args=[message.vault_id, message.pk])


def test_message_is_processed_again_from_its_first_try(message, queue, operator, now):
    set_aside.process_again(message=message, by=operator, now=now)

    kept = fresh(message)
    assert (kept.state, kept.attempts, tallies.waiting(queue)) == (IncomingState.WAITING, 0, 1)
    working.work(now=clock.now)
    assert FiledMessage.objects.get().message == message
    event = AuditEvent.objects.get(event="incoming_message.process_again")
    assert event.changes["Attempts"] == [5, 0]


def test_removed_message_is_never_processed(message, operator, now):
    set_aside.remove(message=message, reason="Superseded", by=operator, now=now)

    assert fresh(message).state == IncomingState.REMOVED
    assert AuditEvent.objects.get(event="incoming_message.removed").reason == "Superseded"
    with pytest.raises(Refused, match="this one is removed"):
        set_aside.process_again(message=message, by=operator, now=now)


def test_message_whose_content_is_gone_cannot_be_processed_again(message, operator, now):
    message.body, message.body_removed_at = "", now
    message.save()

    with pytest.raises(Refused, match="no longer kept"):
        set_aside.process_again(message=message, by=operator, now=now)


@pytest.mark.parametrize("act", ["process_again", "remove"])
def test_only_who_operates_messages_may(message, owner, now, act):
    reader = make_member(owner.vault, Permission.SPARK_QUEUES)
    more = {"reason": "x"} if act == "remove" else {}

    with pytest.raises(PermissionRefused):
        getattr(set_aside, act)(message=message, by=reader, now=now, **more)


@pytest.mark.parametrize("act", ["process_again", "remove"])
def test_message_of_another_vault_is_not_found(message, now, act):
    stranger = make_member(make_vault(), Permission.MESSAGES_OPERATE)
    more = {"reason": "x"} if act == "remove" else {}

    with pytest.raises(Refused):
        getattr(set_aside, act)(message=message, by=stranger, now=now, **more)


def test_dialogs_do_it_and_say_so(message, operator):
    browser = sign_in(operator)

    assert "all its tries" in browser.get(url(message, "again")).content.decode()
    assert browser.post(url(message, "remove"), {"reason": ""}).status_code == 422
    assert browser.post(url(message, "again")).status_code == 302

    assert fresh(message).state == IncomingState.WAITING
    answer = browser.post(url(message, "remove"), {"reason": "x"})
    assert answer.status_code == 409
    assert "this one is waiting" in answer.content.decode()
