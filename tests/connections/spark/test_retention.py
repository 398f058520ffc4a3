from datetime import timedelta

import pytest

from connections.constants import CopyState, IncomingState
from connections.models import DeliveryAttempt, IncomingMessage, MessageCopy, SparkMessage
from connections.processing import filing
from connections.services.messages import resending, retention
from tests.factories.connections import make_external
from tests.factories.incoming import make_incoming
from tests.factories.people import make_member, make_vault
from tests.factories.spark import SPARK_ADMIN, make_inbound, make_outbound, put
from vaultadmin import clock
from vaultadmin.models import VaultSettings
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def admin():
    return make_member(make_vault(), *SPARK_ADMIN, Permission.MESSAGES_OPERATE)


@pytest.fixture
def queue(admin):
    return make_outbound(admin, make_external(admin), make_external(admin))


@pytest.fixture
def now():
    return clock.now()


def send(queue, admin, *, at, settled=None):
    put(queue, admin, now=at)
    message = SparkMessage.objects.latest("pk")
    copies = list(message.copies.order_by("pk"))
    for copy, moment in zip(copies, settled or [at, at], strict=True):
        DeliveryAttempt.objects.create(copy=copy, number=1, execution_id=message.execution_id, started_at=at)
        if moment is not None:
            MessageCopy.objects.filter(pk=copy.pk).update(
                state=CopyState.DELIVERED, due_at=None, settled_at=moment, attempts=1
            )
    return message


def test_what_was_said_goes_after_thirty_days_and_the_row_stays(queue, admin, now):
    old, young = send(queue, admin, at=now - 31 * DAY), send(queue, admin, at=now - 29 * DAY)

    gone = retention.forget(now=now)

    old.refresh_from_db()
    young.refresh_from_db()
    assert (gone.payloads, gone.attempts) == (1, 2)
    assert (old.payload, old.custom, old.payload_removed_at) == ("", {}, now)
    assert young.payload
    assert old.copies.count() == 2
    assert DeliveryAttempt.objects.filter(copy__content=young).count() == 2


def test_a_message_that_waits_never_loses_its_payload_or_attempts(queue, admin, now):
    waiting = send(queue, admin, at=now - 400 * DAY, settled=[None, now - 399 * DAY])

    retention.forget(now=now)

    waiting.refresh_from_db()
    assert waiting.payload
    assert DeliveryAttempt.objects.filter(copy__content=waiting).count() == 2


def test_the_time_is_counted_from_the_last_copy_that_was_settled(queue, admin, now):
    held = send(queue, admin, at=now - 60 * DAY, settled=[now - 59 * DAY, now - DAY])

    retention.forget(now=now)

    held.refresh_from_db()
    assert held.payload


def test_each_vault_has_its_own_time(queue, admin, now):
    message = send(queue, admin, at=now - 8 * DAY)
    VaultSettings.objects.create(vault=admin.vault, message_days=7)

    retention.forget(now=now)

    message.refresh_from_db()
    assert message.payload_removed_at == now


def test_many_go_in_small_batches_and_a_second_run_finds_nothing(queue, admin, now):
    for _ in range(5):
        send(queue, admin, at=now - 40 * DAY)
    send(queue, admin, at=now - 39 * DAY, settled=[None, None])

    assert retention.forget(now=now, batch=2).payloads == 5
    assert retention.forget(now=now, batch=2) == retention.Forgotten()


def test_what_is_out_of_time_is_left_for_the_next_run(queue, admin, now):
    send(queue, admin, at=now - 40 * DAY)

    assert retention.forget(now=now, seconds=0) == retention.Forgotten()
    assert retention.forget(now=now).payloads == 1


def test_what_lost_its_payload_says_so_before_it_is_sent_again(queue, admin, now):
    copy = send(queue, admin, at=now - 40 * DAY).copies.first()
    assert resending.refusal(copy) == ""

    retention.forget(now=now)

    assert resending.refusal(MessageCopy.objects.get(pk=copy.pk)) == resending.REASONS[resending.NO_PAYLOAD]


def test_a_message_sent_again_keeps_its_payload_for_the_new_copy(queue, admin, now):
    copy = send(queue, admin, at=now - 40 * DAY).copies.first()
    resending.resend(copies=[copy], reason="Asked for", by=admin, now=now)

    retention.forget(now=now)

    assert SparkMessage.objects.get().payload


def test_bodies_that_came_in_go_and_those_that_wait_stay(admin, now):
    queue = make_inbound(admin, processor=filing.NAME)
    settled = {"due_at": None, "settled_at": now - 31 * DAY}
    done = make_incoming(queue, None, state=IncomingState.PROCESSED.value, **settled)
    aside = make_incoming(queue, None, state=IncomingState.SET_ASIDE.value, **settled)
    waiting = make_incoming(queue, None, received_at=now - 31 * DAY)
    young = make_incoming(queue, None, state=IncomingState.PROCESSED.value, due_at=None, settled_at=now - 29 * DAY)

    assert retention.forget(now=now, batch=1).bodies == 2

    removed = IncomingMessage.objects.filter(body="", body_removed_at=now)
    assert set(removed) == {done, aside}
    assert all(IncomingMessage.objects.get(pk=row.pk).body for row in (waiting, young))
