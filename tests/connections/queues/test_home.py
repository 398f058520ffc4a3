from datetime import timedelta

import pytest
from django.test import Client

from connections.home import queues as home
from connections.models import IncomingMessage, Lane, MessageCopy, QueueConnection
from connections.selectors import waiting
from connections.services.messages import queue_links, queues, set_aside, tallies
from tests.connections.pages import sign_in
from tests.factories.connections import make_vault_to_vault
from tests.factories.incoming import make_incoming
from tests.factories.people import make_member
from tests.factories.spark import make_link, make_outbound, make_spark_admin, put
from vaultadmin import clock
from vaultadmin.permissions import Permission
from vaultadmin.together import answer

pytestmark = pytest.mark.django_db


def make_operator(admin):
    return make_member(admin.vault, Permission.MESSAGES_OPERATE)


def fails(queue, at=None):
    Lane.objects.filter(link__queue=queue).update(
        last_outcome="error", last_error="No answer within 30 seconds.", last_error_at=at or clock.now()
    )


def test_home_counts_queues_and_what_waits(admin, outbound):
    put(outbound, admin)

    (card,) = answer(home.cards(admin))

    assert (card.title, card.figure, card.tone) == ("Queues", "1 working", "success")
    assert card.sentence == "1 message waits in it."


def test_home_of_a_vault_without_queues_says_so(admin):
    assert answer(home.cards(admin))[0].figure == "0"
    assert answer(home.troubles(admin)) == []


def test_home_lists_each_failing_queue_with_its_reason(admin, outbound):
    other = make_outbound(admin, QueueConnection.objects.get().connection, label="Other")
    put(outbound, admin)
    fails(outbound)

    page = sign_in(admin).get(f"/v/{admin.vault_id}/").content.decode()

    (line,) = answer(home.troubles(admin))
    assert (line.title, line.count) == ("Study out", "1 waiting")
    assert line.text == "RTSM: No answer within 30 seconds."
    assert answer(home.cards(admin))[0].figure == "1 failing"
    assert f'href="{line.url}"' in page
    assert str(other) not in page


def test_failing_queue_that_holds_most_comes_first(admin, outbound):
    fuller = make_outbound(admin, QueueConnection.objects.get().connection, label="Fuller")
    for queue in (outbound, fuller, fuller):
        put(queue, admin)
    fails(outbound)
    fails(fuller)

    assert [line.title for line in answer(home.troubles(admin))] == ["Fuller", "Study out"]


def test_queue_with_several_failing_connections_has_one_line(admin, outbound, itself, inbound):
    make_link(outbound, itself, admin, deliver_to=inbound.name)
    put(outbound, admin)
    fails(outbound)

    (line,) = answer(home.troubles(admin))

    assert line.text.endswith("No answer within 30 seconds. 1 more of its connections fails, too.")


def test_inbound_queue_with_messages_set_aside_is_listed_until_somebody_decides(admin, inbound):
    old = clock.now() - timedelta(days=9)
    message = make_incoming(inbound, None, state="set_aside", due_at=None, settled_at=old)

    page = sign_in(admin).get(f"/v/{admin.vault_id}/admin/queues/{inbound.name}/").content.decode()

    (line,) = answer(home.troubles(admin))
    assert (line.title, line.since, line.count) == ("Study in", old, "")
    assert line.text == "1 message was set aside after its last try. Process it again, or remove it."
    assert line.is_waiting
    card = answer(home.cards(admin))[0]
    assert (card.figure, card.tone) == ("1 needs a decision", "warning")
    assert "1 could not be processed and was set aside." in page
    assert f"queue={inbound.name}&amp;state=set_aside" in page
    set_aside.remove(message=message, reason="Not needed", by=make_operator(admin), now=clock.now())
    assert answer(home.troubles(admin)) == []


def test_old_error_nobody_waits_for_is_over(admin, outbound):
    fails(outbound, clock.now() - timedelta(days=2))
    assert answer(home.troubles(admin)) == []

    put(outbound, admin)
    assert len(answer(home.troubles(admin))) == 1


def test_connection_switched_off_fails_no_queue(admin, outbound):
    put(outbound, admin)
    fails(outbound)
    link = QueueConnection.objects.get()
    queue_links.edit(link=link, label="", is_active=False, by=admin, now=clock.now())

    assert answer(home.troubles(admin)) == []


def test_home_shows_queues_to_those_who_may_see_them(admin, outbound):
    put(outbound, admin)
    fails(outbound)
    reader = make_member(admin.vault, Permission.CONNECTION_READ)
    operator = make_member(admin.vault, Permission.MESSAGES_OPERATE)

    assert (answer(home.cards(reader)), answer(home.troubles(reader)), home.hits(reader, "study")) == ([], [], [])
    assert len(answer(home.troubles(operator))) == 1
    assert answer(home.troubles(make_spark_admin())) == []
    assert [hit.hint for hit in home.hits(operator, "STUDY")] == ["study_out__c"]
    assert home.hits(operator, "  ") == []


def test_status_tells_what_is_due_since_when_and_what_stands_still(admin, outbound):
    now = clock.now()
    standing = make_outbound(admin, make_vault_to_vault(admin), deliver_to="in__c")
    for queue in (outbound, outbound, standing):
        put(queue, admin, now=now)
    oldest = MessageCopy.objects.filter(queue=outbound).first()
    MessageCopy.objects.filter(pk=oldest.pk).update(due_at=now - timedelta(minutes=3))

    lane = home.sending(now)

    assert (lane.due, lane.oldest, lane.parked) == (2, now - timedelta(minutes=3), 1)
    assert waiting.oldest_due(now) == now - timedelta(minutes=3)


def test_what_is_tried_again_later_or_left_alone_is_not_overdue(admin, outbound):
    now = clock.now()
    put(outbound, admin, now=now)
    Lane.objects.update(paused_until=now + timedelta(minutes=1))
    assert (waiting.oldest_due(now), home.sending(now).due) == (None, 0)

    Lane.objects.update(paused_until=None)
    assert waiting.oldest_due(now) == now
    assert waiting.oldest_due(now - timedelta(seconds=1)) is None
    assert (home.sending(now).due, home.sending(now - timedelta(seconds=1)).due) == (1, 0)
    queues.set_delivery(queue=outbound, enabled=False, by=admin, now=now)
    assert waiting.oldest_due(now) is None


def test_arrived_messages_are_due_too(admin, inbound):
    now = clock.now()
    IncomingMessage.objects.create(
        vault=inbound.vault,
        queue=inbound,
        message_id="00000000-0000-4000-8000-000000000001",
        received_at=now,
        due_at=now,
    )
    tallies.add({inbound.pk: 1})

    lane = home.processing(now)

    assert (lane.due, lane.oldest, lane.parked) == (1, now, 0)


def test_readiness_names_the_age_of_the_oldest_due_message(admin, outbound):
    assert Client().get("/readyz").json()["checks"]["messages"] == {"ok": True, "oldest_due": None}
    put(outbound, admin, now=clock.now() - timedelta(minutes=2))

    told = Client().get("/readyz").json()["checks"]["messages"]

    assert told["ok"]
    assert 120 <= told["oldest_due"] < 180


def test_links_of_a_queue_are_counted_apart(admin, outbound, itself, inbound):
    make_link(outbound, itself, admin, deliver_to=inbound.name)
    put(outbound, admin)

    assert answer(home.cards(admin))[0].sentence == "2 messages wait in them."
