from datetime import timedelta

import pytest

from connections.delivery import claiming
from connections.delivery.policy import POLICY
from connections.models import Hold, Lane
from connections.services.messages import holding
from connections.services.refusals import Refused
from connections.spark.retrying import WINDOW, Clock
from tests.connections.messages.conftest import BUSY
from tests.factories.connections import make_external
from tests.factories.people import make_member, make_user, make_vault
from tests.factories.spark import make_outbound, put
from vaultadmin.models import AuditEvent, Membership
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.together import answer


def held(traffic, now, **place):
    return holding.hold(reason="Receiver moves house", by=traffic.operator, now=now, **place)


def due(now):
    return [job.message_id for batch in claiming.take(now=now, policy=POLICY, lanes=8) for job in batch.jobs]


def test_hold_a_connection_keeps_its_messages(traffic, now):
    copy = traffic.put(now=now)

    made = held(traffic, now, connection=traffic.connection)

    assert due(now) == []
    holding.release(held=made, by=traffic.operator, now=now)
    assert due(now) == [copy.message_id]


def test_hold_a_connection_leaves_others_alone(traffic, now):
    other = make_external(traffic.admin)
    queue = make_outbound(traffic.admin, other)
    held(traffic, now, connection=traffic.connection)

    free = put(queue, traffic.admin, now=now)

    assert due(now) == [free.copies[0].message_id]


def test_hold_one_queue_of_a_connection_leaves_its_other_queue_alone(traffic, now):
    second = make_outbound(traffic.admin, traffic.connection)
    held(traffic, now, connection=traffic.connection, queue=traffic.queue)
    traffic.put(now=now)

    free = put(second, traffic.admin, now=now)

    assert due(now) == [free.copies[0].message_id]


def test_hold_the_installation_keeps_every_vault(traffic, now):
    traffic.put(now=now)

    held(traffic, now)

    assert due(now) == []
    assert Lane.objects.filter(stopped_since__isnull=True).count() == 0


def test_a_hold_does_not_count_into_the_retry_window(traffic, now):
    copy = traffic.put(now=now)
    made = held(traffic, now, connection=traffic.connection)
    later = now + timedelta(hours=7)
    holding.release(held=made, by=traffic.operator, now=later)

    lane = Lane.objects.get(link__queue=traffic.queue)
    window = Clock(copy.entered_at, lane.standstill(later) - copy.stood_still_before)

    assert window.ends_at == now + timedelta(hours=7) + WINDOW
    traffic.settle(BUSY, now=later)
    copy.refresh_from_db()
    assert copy.state == "waiting"


def test_two_holds_need_two_releases(traffic, now):
    copy = traffic.put(now=now)
    whole = held(traffic, now)
    one = held(traffic, now, connection=traffic.connection)

    holding.release(held=whole, by=traffic.operator, now=now)
    assert due(now) == []
    holding.release(held=one, by=traffic.operator, now=now)

    assert due(now) == [copy.message_id]


@pytest.mark.parametrize("where", ["connection", "everything"])
def test_hold_twice_is_refused(traffic, now, where):
    place = {"connection": traffic.connection} if where == "connection" else {}
    held(traffic, now, **place)

    with pytest.raises(Refused, match="held already"):
        held(traffic, now, **place)


def test_hold_without_a_reason_is_refused(traffic, now):
    with pytest.raises(Refused, match="Say why"):
        holding.hold(reason="  ", by=traffic.operator, now=now)


def test_hold_a_queue_that_does_not_use_the_connection_is_refused(traffic, now):
    with pytest.raises(Refused, match="sends through this connection"):
        held(traffic, now, connection=make_external(traffic.admin), queue=traffic.queue)


def test_hold_a_foreign_connection_is_refused(traffic, now):
    stranger = make_member(make_vault(), Permission.MESSAGES_OPERATE)

    with pytest.raises(Refused, match="of this Vault"):
        holding.hold(reason="Mine", by=stranger, now=now, connection=traffic.connection)


def test_hold_needs_the_permission(traffic, now):
    with pytest.raises(PermissionRefused):
        holding.hold(reason="Mine", by=traffic.admin, now=now, connection=traffic.connection)
    with pytest.raises(PermissionRefused):
        holding.release(held=held(traffic, now), by=traffic.admin, now=now)


def test_release_twice_is_refused(traffic, now):
    made = held(traffic, now)
    holding.release(held=made, by=traffic.operator, now=now)

    with pytest.raises(Refused, match="meanwhile"):
        holding.release(held=made, by=traffic.operator, now=now)


def test_another_vault_cannot_release_what_holds_the_installation(traffic, now):
    made = held(traffic, now)
    elsewhere = make_member(make_vault(), Permission.MESSAGES_OPERATE)

    with pytest.raises(Refused, match="another Vault"):
        holding.release(held=made, by=elsewhere, now=now)


def test_a_domain_administrator_releases_what_another_vault_holds(traffic, now):
    made = held(traffic, now)
    elsewhere = make_member(make_vault(), Permission.MESSAGES_OPERATE, user=make_user(is_domain_admin=True))

    holding.release(held=made, by=Membership.objects.for_request().get(pk=elsewhere.pk), now=now)

    assert not Hold.objects.in_force().exists()


def test_hold_and_release_are_audited_in_vault_and_installation(traffic, now):
    made = held(traffic, now)
    holding.release(held=made, by=traffic.operator, now=now, reason="It moved")

    rows = AuditEvent.objects.filter(event__startswith="messages.").order_by("pk")

    assert [(row.chain, row.event, row.reason) for row in rows] == [
        (traffic.operator.vault_id, "messages.held", "Receiver moves house"),
        (0, "messages.held", "Receiver moves house"),
        (traffic.operator.vault_id, "messages.released", "It moved"),
        (0, "messages.released", "It moved"),
    ]


def test_in_force_tells_what_concerns_a_queue(traffic, now):
    held(traffic, now, connection=make_external(traffic.admin))
    one = held(traffic, now, connection=traffic.connection)
    whole = held(traffic, now)

    assert answer(holding.in_force(traffic.admin.vault, queue=traffic.queue)) == [whole, one]
    assert answer(holding.in_force(make_vault())) == [whole]
