from datetime import timedelta

import pytest
from django.db import transaction

from connections.constants import CopyState
from connections.models import MessageCopy, Replay, ReplayItem, ReplayState
from connections.services.copies import separating
from connections.services.messages import queues, replay_work, replaying, resending, tallies
from connections.services.refusals import Refused
from tests.connections.messages.conftest import ACCEPTED
from tests.factories.connections import make_external
from tests.factories.people import make_member, make_vault
from tests.factories.spark import make_link
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission, PermissionRefused


def plan(traffic, now, **values):
    return replaying.plan(values={"state": "failed"} | values, words="Failed messages", by=traffic.operator, now=now)


def running(traffic, now, **values):
    return replaying.start(plan(traffic, now, **values), by=traffic.operator, now=now)


def carry_out(now):
    return replay_work.work(now=lambda: now)


def again():
    return list(MessageCopy.objects.filter(resend_of__isnull=False).order_by("pk"))


def reload(replay):
    return Replay.objects.get(pk=replay.pk)


def test_plan_sends_nothing(traffic, now):
    traffic.failed(now=now)

    replay = plan(traffic, now)

    assert (replay.state, replay.total, replay.excluded) == (ReplayState.PLANNED, 1, 0)
    assert carry_out(now) == 0
    assert again() == []


def test_plan_leaves_out_what_cannot_be_sent_and_says_why(traffic, now):
    traffic.failed(now=now)
    sent_before = traffic.failed(now=now)
    waiting = traffic.put(now=now)
    resending.resend(copies=[sent_before], reason="", by=traffic.operator, now=now)

    replay = plan(traffic, now, state="")

    reasons = dict(ReplayItem.objects.filter(replay=replay).values_list("copy", "reason"))
    assert reasons[sent_before.pk] == resending.SENT_AGAIN
    assert reasons[waiting.pk] == resending.WAITING
    assert (replay.total, replay.excluded) == (1, 3)


def test_plan_counts_what_was_delivered_before(traffic, now):
    traffic.delivered(now=now)
    traffic.failed(now=now)

    replay = plan(traffic, now, state="")

    assert (replay.total, replay.delivered_before) == (2, 1)


def test_plan_everything_since_a_moment_takes_what_entered_then(traffic, now):
    traffic.failed(now=now - timedelta(hours=2))
    newer = traffic.failed(now=now)

    replay = plan(traffic, now, since=(now - timedelta(hours=1)).isoformat())

    assert list(replay.items.values_list("copy", flat=True)) == [newer.pk]


def test_plan_of_nothing_is_refused(traffic, now):
    with pytest.raises(Refused, match="No message fits"):
        plan(traffic, now)


def test_plan_of_incoming_messages_is_refused(traffic, now):
    with pytest.raises(Refused, match="Only outgoing"):
        plan(traffic, now, direction="in")


def test_plan_of_too_many_is_refused(traffic, now, monkeypatch):
    monkeypatch.setattr(replaying, "MOST", 1)
    traffic.failed(now=now)
    traffic.failed(now=now)

    with pytest.raises(Refused, match="in parts"):
        plan(traffic, now)


def test_plan_estimates_by_what_calls_took_lately(traffic, now):
    traffic.delivered(now=now)
    for _ in range(2):
        traffic.failed(now=now)
    queues.edit(queue=traffic.queue, label="In order", sequential=True, by=traffic.admin, now=now)
    MessageCopy.objects.get(state=CopyState.DELIVERED).tries.update(milliseconds=3000)

    assert plan(traffic, now).seconds == 6


def test_a_replay_sends_exactly_its_plan_in_order(traffic, now):
    planned = [traffic.failed(now=now).pk for _ in range(3)]
    replay = running(traffic, now)
    traffic.failed(now=now)

    assert carry_out(now) == 3

    assert [copy.resend_of_id for copy in again()] == planned
    replay = reload(replay)
    assert (replay.state, replay.sent, replay.skipped) == (ReplayState.FINISHED, 3, 0)


def test_carrying_out_twice_sends_once(traffic, now):
    traffic.failed(now=now)
    running(traffic, now)

    carry_out(now)
    carry_out(now)

    assert len(again()) == 1


def test_a_worker_that_dies_between_batches_loses_and_doubles_nothing(traffic, now, monkeypatch):
    monkeypatch.setattr(replay_work, "BATCH", 2)
    planned = [traffic.failed(now=now).pk for _ in range(5)]
    replay = running(traffic, now)
    settle, calls = replay_work._settle, []

    def dies_in_the_second(*args):
        calls.append(args)
        if len(calls) == 2:
            raise SystemExit("killed")
        settle(*args)

    monkeypatch.setattr(replay_work, "_settle", dies_in_the_second)
    with pytest.raises(SystemExit):
        carry_out(now)
    assert [copy.resend_of_id for copy in again()] == planned[:2]

    carry_out(now)

    assert [copy.resend_of_id for copy in again()] == planned
    assert reload(replay).sent == 5


def test_a_paused_replay_sends_nothing_until_it_is_resumed(traffic, now):
    traffic.failed(now=now)
    replay = replaying.pause(running(traffic, now), by=traffic.operator, now=now)
    assert carry_out(now) == 0

    replaying.resume(replay, by=traffic.operator, now=now)

    assert carry_out(now) == 1


def test_a_cancelled_replay_keeps_what_it_sent_and_sends_no_more(traffic, now, monkeypatch):
    monkeypatch.setattr(replay_work, "BATCH", 1)
    monkeypatch.setattr(replay_work, "WORK_FOR", 0.0)
    traffic.failed(now=now)
    traffic.failed(now=now)
    replay = running(traffic, now)
    replay_work._step(replay.pk, now)

    replay = replaying.cancel(replay, by=traffic.operator, now=now)

    assert (replay.state, replay.sent, replay.left) == (ReplayState.CANCELLED, 1, 1)
    assert carry_out(now) == 0
    assert len(again()) == 1


def test_what_cannot_be_sent_any_more_is_skipped_with_the_reason(traffic, now):
    traffic.failed(now=now)
    replay = running(traffic, now)
    queues.set_active(queue=traffic.queue, active=False, by=traffic.admin, now=now)

    carry_out(now)

    assert replay.items.get().reason == resending.QUEUE_INACTIVE
    assert reload(replay).skipped == 1


def test_a_replay_waits_for_room_in_its_queue(traffic, now):
    traffic.failed(now=now)
    replay = running(traffic, now)
    tallies.add({traffic.queue.pk: replay_work._FILLS_TO})
    assert carry_out(now) == 0
    assert "goes on as it empties" in reload(replay).waits_for

    tallies.add({traffic.queue.pk: -1})

    assert carry_out(now) == 1
    assert reload(replay).waits_for == ""


def test_a_failed_resend_stands_for_its_original_in_the_next_plan(traffic, now):
    first = traffic.failed(now=now)
    running(traffic, now)
    carry_out(now)
    MessageCopy.objects.filter(resend_of=first).update(state=CopyState.FAILED, due_at=None, settled_at=now)

    replay = plan(traffic, now)

    assert replay.total == 1
    assert replay.items.get(state="planned").copy.resend_of_id == first.pk


def test_a_plan_over_several_connections_takes_each_copy(traffic, now):
    make_link(traffic.queue, make_external(traffic.admin), traffic.admin)
    traffic.put(now=now)
    MessageCopy.objects.update(state=CopyState.FAILED, due_at=None, settled_at=now)

    assert plan(traffic, now).total == 2


@pytest.mark.parametrize("act", ["start", "resume", "pause"])
def test_acts_on_a_replay_that_is_over_are_refused(traffic, now, act):
    traffic.failed(now=now)
    replay = replaying.cancel(running(traffic, now), by=traffic.operator, now=now)

    with pytest.raises(Refused):
        getattr(replaying, act)(replay, by=traffic.operator, now=now)
    with pytest.raises(Refused, match="over"):
        replaying.cancel(replay, by=traffic.operator, now=now)


def test_start_a_plan_with_nothing_to_send_is_refused(traffic, now):
    traffic.put(now=now)

    with pytest.raises(Refused, match="nothing in this plan"):
        running(traffic, now, state="waiting")


def test_replays_need_the_permission_and_stay_in_their_vault(traffic, now):
    traffic.failed(now=now)
    replay = plan(traffic, now)
    stranger = make_member(make_vault(), Permission.MESSAGES_OPERATE)

    with pytest.raises(PermissionRefused):
        replaying.plan(values={}, words="", by=traffic.admin, now=now)
    with pytest.raises(PermissionRefused):
        replaying.start(replay, by=traffic.admin, now=now)
    with pytest.raises(Refused, match="no such replay"):
        replaying.start(replay, by=stranger, now=now)


def test_every_step_of_a_replay_is_audited(traffic, now):
    traffic.failed(now=now)
    replay = running(traffic, now)
    replaying.pause(replay, by=traffic.operator, now=now)
    replaying.resume(replay, by=traffic.operator, now=now)
    carry_out(now)

    told = AuditEvent.objects.filter(event__startswith="replay.").order_by("pk").values_list("event", flat=True)

    assert list(told) == [
        "replay.planned",
        "replay.started",
        "replay.paused",
        "replay.resumed",
        "replay.finished",
    ]


def test_what_a_replay_sends_is_delivered_like_any_message(traffic, now):
    traffic.failed(now=now)
    running(traffic, now)
    carry_out(now)

    assert traffic.settle(ACCEPTED, now=now) == 1

    assert again()[0].state == CopyState.DELIVERED


def test_copied_installation_carries_no_replay_of_its_original_on(traffic, now):
    traffic.failed(now=now)
    started, planned = running(traffic, now), plan(traffic, now)

    with transaction.atomic():
        counts = separating.let_go(traffic.operator, now)

    assert counts["Replays"] == 2
    assert {reload(started).state, reload(planned).state} == {ReplayState.CANCELLED}
    assert carry_out(now) == 0
    assert again() == []
    ended = AuditEvent.objects.filter(event="replay.cancelled")
    assert set(ended.values_list("reason", flat=True)) == {separating.REASON}
