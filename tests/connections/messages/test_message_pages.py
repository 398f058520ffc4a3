from datetime import timedelta

import pytest
from django.urls import reverse

from connections.constants import CopyState
from connections.home.connections import message_hits
from connections.models import DeliveryAttempt, Hold, Lane, MessageCopy, Queue, SparkMessage
from connections.processing import filing
from connections.services import explaining
from connections.services.messages import holding, revealing
from connections.services.messages.resending import resend
from tests.connections.messages.conftest import BUSY
from tests.connections.messages.pages import address
from tests.connections.pages import sign_in
from tests.factories.connections import make_external
from tests.factories.incoming import make_incoming
from tests.factories.people import make_member, make_vault
from tests.factories.spark import make_inbound, make_link
from vaultadmin import clock
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission

KEY = "00000000-0000-0000-0000-000000000007"


@pytest.mark.parametrize(("left", "words"), [(60, "It is under way"), (-1, "The worker stopped before")])
def test_an_attempt_without_an_outcome_is_under_way_while_somebody_has_it_in_hand(traffic, operating, now, left, words):
    copy = traffic.put(now=now)
    DeliveryAttempt.objects.create(copy=copy, number=1, execution_id=copy.content.execution_id, started_at=now)
    MessageCopy.objects.update(attempts=1, lease_until=now + timedelta(seconds=left))

    assert words in operating.get(address(traffic, "message", copy.message_id)).content.decode()


def test_page_tells_every_attempt_and_the_next_ones(traffic, operating, now):
    copy = traffic.put(now=now)
    traffic.settle(BUSY, now=now)

    text = operating.get(address(traffic, "message", copy.message_id)).content.decode()

    assert "Attempt 1" in text
    assert "The receiver answered with the HTTP status 503." in text
    assert "busy" in text
    assert text.count("attempt-planned") == 3


def test_page_masks_the_content(traffic, operating, now):
    copy = traffic.put(now=now, items=("OP7",), attributes={"subject": "Jane"})

    text = operating.get(address(traffic, "message", copy.message_id)).content.decode()

    assert "Jane" not in text
    assert "OP7" not in text
    assert "subject" in text


def test_page_links_siblings_original_and_resends(traffic, operating, now):
    make_link(traffic.queue, make_external(traffic.admin), traffic.admin)
    traffic.put(now=now)
    MessageCopy.objects.update(state=CopyState.FAILED, due_at=None, settled_at=now)
    one, other = MessageCopy.objects.order_by("pk")
    [again] = resend(copies=[one], reason="Lost", by=traffic.operator, now=now)

    text = operating.get(address(traffic, "message", one.message_id)).content.decode()
    of_again = operating.get(address(traffic, "message", again.message_id)).content.decode()

    assert address(traffic, "message", other.message_id) in text
    assert address(traffic, "message", again.message_id) in text
    assert address(traffic, "message", one.message_id) in of_again


def test_page_of_another_vault_is_missing(traffic, now):
    copy = traffic.put(now=now)
    stranger = make_member(make_vault(), Permission.MESSAGES_OPERATE)
    url = reverse("connections:message", args=[stranger.vault_id, copy.message_id])

    assert sign_in(stranger).get(url).status_code == 404


def test_reveal_shows_the_content_for_a_while(traffic, operating, now, monkeypatch):
    copy = traffic.put(now=now, items=("OP7",), attributes={"subject": "Jane"})
    page = address(traffic, "message", copy.message_id)

    operating.post(address(traffic, "message-reveal", copy.message_id), {"reason": "Ticket 12"})

    assert "Jane" in operating.get(page).content.decode()
    later = clock.now() + revealing.SHOWN_FOR + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert "Jane" not in operating.get(page).content.decode()


def test_reveal_is_audited_and_for_this_browser_only(traffic, operating, now):
    copy = traffic.put(now=now, attributes={"subject": "Jane"})

    operating.post(address(traffic, "message-reveal", copy.message_id), {"reason": "Ticket 12"})

    assert AuditEvent.objects.get(event="message.revealed").reason == "Ticket 12"
    other = sign_in(traffic.operator)
    assert "Jane" not in other.get(address(traffic, "message", copy.message_id)).content.decode()


def test_reveal_without_a_reason_shows_nothing(traffic, operating, now):
    copy = traffic.put(now=now, attributes={"subject": "Jane"})

    answer = operating.post(address(traffic, "message-reveal", copy.message_id), {"reason": ""})

    assert answer.status_code == 422
    assert "Jane" not in operating.get(address(traffic, "message", copy.message_id)).content.decode()


def test_reveal_asks_for_fresh_credentials(traffic, operating, now):
    copy = traffic.put(now=now)
    session = operating.session
    session["account_authentication_methods"] = [{"method": "password", "at": now.timestamp() - 3600}]
    session.save()

    answer = operating.post(address(traffic, "message-reveal", copy.message_id), {"reason": "Ticket 12"})

    assert answer.status_code == 302
    assert not AuditEvent.objects.filter(event="message.revealed").exists()


def test_reveal_an_incoming_message(traffic, operating):
    queue = make_inbound(traffic.admin, processor=filing.NAME)
    arrived = make_incoming(queue, None)
    page = address(traffic, "incoming", arrived.pk)
    assert operating.get(page).status_code == 200

    operating.post(address(traffic, "incoming-reveal", arrived.pk), {"reason": "Ticket 12"})

    assert "Shown to you" in operating.get(page).content.decode()


def test_resend_leads_to_the_new_message(traffic, operating, now):
    copy = traffic.failed(now=now)

    answer = operating.post(address(traffic, "message-resend", copy.message_id), {"reason": "Lost", "key": KEY})

    made = MessageCopy.objects.get(resend_of=copy)
    assert answer["Location"] == address(traffic, "message", made.message_id)


def test_resend_pressed_twice_sends_again_once(traffic, operating, now):
    copy = traffic.failed(now=now)
    url = address(traffic, "message-resend", copy.message_id)

    answers = [operating.post(url, {"key": KEY})["Location"] for _ in range(2)]

    assert MessageCopy.objects.filter(resend_of=copy).count() == 1
    assert answers[0] == answers[1]


def test_resend_after_a_success_is_worded_as_a_second_delivery(traffic, operating, now):
    copy = traffic.delivered(now=now)

    text = operating.get(address(traffic, "message-resend", copy.message_id)).content.decode()

    assert "Deliver a second time" in text
    assert "accepted this message already" in text


def test_resend_a_waiting_message_says_why_not(traffic, operating, now):
    copy = traffic.put(now=now)

    answer = operating.post(address(traffic, "message-resend", copy.message_id))

    assert answer.status_code == 409
    assert "still being tried" in answer.content.decode()


def test_resend_the_ticked_ones(traffic, operating, now):
    first, second = traffic.failed(now=now), traffic.failed(now=now)
    url = f"{address(traffic, 'messages-resend')}?id={first.pk}&id={second.pk}"

    operating.post(url, {"reason": "Lost", "key": KEY})

    assert MessageCopy.objects.filter(resend_of__in=[first, second]).count() == 2


def test_resend_nothing_ticked_goes_back(traffic, operating):
    answer = operating.get(address(traffic, "messages-resend"))

    assert answer["Location"] == address(traffic, "messages")


def test_hold_and_release_from_the_pages(traffic, operating, now):
    url = address(traffic, "messages-hold", connection=traffic.connection.api_name)

    operating.post(url, {"reason": "Receiver moves house", "queue": ""})

    held = Hold.objects.get()
    assert held.connection == traffic.connection
    text = operating.get(address(traffic, "messages")).content.decode()
    assert "is held" in text
    assert "Receiver moves house" in text
    operating.post(address(traffic, "messages-release", held.pk), {"reason": ""})
    assert "is held" not in operating.get(address(traffic, "messages")).content.decode()


def test_a_hold_of_the_installation_stands_on_pages_of_other_vaults_without_the_name(traffic, now):
    held = holding.hold(reason="Maintenance", by=traffic.operator, now=now)
    elsewhere = make_member(make_vault(), Permission.MESSAGES_OPERATE)

    text = sign_in(elsewhere).get(reverse("connections:messages", args=[elsewhere.vault_id])).content.decode()

    assert "Maintenance" in text
    assert held.held_by.partition(" <")[0] not in text


def attempt_of(traffic, now, **draft):
    copy = traffic.delivered(now=now, **draft)
    attempt = copy.tries.get()
    return MessageCopy.objects.select_related("content", "queue", "vault").get(pk=copy.pk), attempt


def compared(browser, traffic, copy, text):
    url = address(traffic, "message-signed", copy.message_id, 1)
    return browser.post(url, {"pasted": text}).content.decode()


def test_the_drawer_shows_the_string_line_by_line(traffic, operating, now):
    copy, attempt = attempt_of(traffic, now)

    text = operating.get(address(traffic, "message-signed", copy.message_id, 1)).content.decode()

    assert f"x-vaultapisignature-requestid:{copy.message_id}" in text
    assert "The message id" in text
    assert attempt.url in text


def test_the_drawer_accepts_the_same_string(traffic, operating, now):
    copy, attempt = attempt_of(traffic, now)

    text = compared(operating, traffic, copy, explaining.rebuild(attempt, copy).text)

    assert "Nothing differs" in text
    assert AuditEvent.objects.filter(event="message.signature_compared").count() == 1


def test_the_drawer_points_at_the_first_difference(traffic, operating, now):
    copy, attempt = attempt_of(traffic, now)
    string = explaining.rebuild(attempt, copy).text.replace("-requesttype:spark", "-requesttype:Spark")

    text = compared(operating, traffic, copy, string)

    assert "Line 7, character 33 is the first difference" in text


def test_the_drawer_does_not_tell_masked_content(traffic, operating, now):
    copy, attempt = attempt_of(traffic, now, attributes={"subject": "Jane"})
    string = explaining.rebuild(attempt, copy).text.replace("Jane", "Joan")

    text = compared(operating, traffic, copy, string)

    assert "is the first difference" in text
    assert "Signed: <code" not in text


def test_the_drawer_of_what_was_never_signed_says_so(traffic, operating, now):
    copy = traffic.delivered(now=now)
    copy.tries.update(url="", certificate_id="")

    text = operating.get(address(traffic, "message-signed", copy.message_id, 1)).content.decode()

    assert "Nothing was signed" in text


def test_the_drawer_of_removed_content_says_so(traffic, operating, now):
    copy = traffic.delivered(now=now)
    SparkMessage.objects.update(payload="", payload_removed_at=now)

    text = operating.get(address(traffic, "message-signed", copy.message_id, 1)).content.decode()

    assert "cannot be rebuilt" in text


def test_next_try_of_a_held_message_stands_still(traffic, operating, now):
    traffic.put(now=now)
    holding.hold(reason="Moving", by=traffic.operator, now=now, connection=traffic.connection)

    text = operating.get(address(traffic, "messages")).content.decode()

    assert "Stands still" in text
    assert "data-countdown" not in text


def test_a_message_that_stands_still_says_why_and_leads_to_its_queue(traffic, now):
    copy = traffic.put(now=now)
    Queue.objects.filter(pk=copy.queue_id).update(delivery_enabled=False)
    Lane.objects.update(stopped_since=now)
    member = make_member(traffic.operator.vault, Permission.MESSAGES_OPERATE, Permission.CONNECTION_READ)

    text = sign_in(member).get(address(traffic, "message", copy.message_id)).content.decode()

    assert "Delivery of this queue is disabled." in text
    assert reverse("connections:queue", args=[member.vault_id, copy.queue.name]) in text


def test_one_ticked_message_is_spoken_of_as_one(traffic, operating, now):
    copy = traffic.delivered(now=now)

    text = operating.get(f"{address(traffic, 'messages')}resend/?id={copy.pk}").content.decode()

    assert "It was delivered already" in text
    assert "a new message with an ID of its own" in text


def test_the_connection_shows_its_messages_and_what_holds_them(traffic, now):
    copy = traffic.put(now=now)
    holding.hold(reason="Receiver moves house", by=traffic.operator, now=now, connection=traffic.connection)
    member = make_member(traffic.operator.vault, Permission.MESSAGES_OPERATE, Permission.CONNECTION_READ)
    url = reverse("connections:record", args=[member.vault_id, traffic.connection.api_name])

    text = sign_in(member).get(url).content.decode()

    assert "Receiver moves house" in text
    assert address(traffic, "message", copy.message_id) in text
    assert "Hold messages" in text


def test_the_queue_shows_what_holds_it(traffic, operating, now):
    holding.hold(reason="Receiver moves house", by=traffic.operator, now=now, connection=traffic.connection)

    text = operating.get(address(traffic, "queue", traffic.queue.name)).content.decode()

    assert "is held" in text
    assert "Receiver moves house" in text


def test_the_palette_finds_a_message_by_its_id(traffic, now):
    copy = traffic.put(now=now)

    hits = message_hits(traffic.operator, f" {copy.message_id} ")

    assert [hit.url for hit in hits] == [address(traffic, "message", copy.message_id)]
    assert message_hits(traffic.operator, "no id") == []
